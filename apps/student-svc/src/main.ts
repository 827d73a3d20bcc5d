import { startService } from '@fidelis/observability';
import { createApp } from './app.js';
import { readConfig } from './config.js';

await startService('student-svc', readConfig, createApp);
