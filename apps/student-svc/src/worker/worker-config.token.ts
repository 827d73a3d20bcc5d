export const WORKER_CONFIG = Symbol('fidelis.worker-config');
