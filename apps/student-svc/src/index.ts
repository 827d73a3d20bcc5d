export { createApp } from './app.js';
export { configSchema, type StudentConfig } from './config.js';
