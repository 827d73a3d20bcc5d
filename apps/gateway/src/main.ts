import 'reflect-metadata';
import { startService } from '@fidelis/observability';
import { gatewayConfig } from './config.js';
import { createGateway } from './create-gateway.js';

await startService('gateway', () => gatewayConfig(process.env), createGateway);
