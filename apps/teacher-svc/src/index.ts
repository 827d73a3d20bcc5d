export { createApp } from './app.js';
export { configSchema, type TeacherConfig } from './config.js';
