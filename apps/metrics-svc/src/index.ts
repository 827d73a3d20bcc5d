export { createApp } from './app.js';
export { configSchema, type MetricsConfig } from './config.js';
