export { gatewayConfig, type GatewayConfig } from './config.js';
export { createGateway } from './create-gateway.js';
