export { DatasetCopies } from './dataset-copies.js';
export { createServiceApplication } from './service-application.js';
export { ServiceCoreModule, type ServiceCoreOptions } from './service-core.module.js';
export { ServiceDatabaseModule, type ServiceDatabaseOptions } from './service-database.module.js';
