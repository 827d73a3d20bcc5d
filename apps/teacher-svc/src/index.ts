export { createApp } from './app.js';
export { configSchema, type TeacherConfig } from './config.js';
export { ScoringLoop } from './scoring/scoring-loop.js';
