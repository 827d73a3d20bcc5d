/** The images that a deployment pulls. The Compose file names the same ones, which a test holds it to. */
export const IMAGES = {
  fidelis: 'fidelis:0.1.0',
  nats: 'nats:2.14.2-alpine',
  postgres: 'postgres:18.1-bookworm',
  prometheus: 'prom/prometheus:v3.5.0',
  grafana: 'grafana/grafana:12.1.0',
} as const;
