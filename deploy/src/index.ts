export { generatedFiles } from './generated-files.js';
export { IMAGES } from './images.js';
export { HTTP_PORT, programEntry, STOP_GRACE_SECONDS, WORKLOADS, type Workload } from './workloads.js';
