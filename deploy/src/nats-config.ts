export const NATS_PORTS = { client: 4222, monitor: 8222 } as const;

/**
 * One server with JetStream on a volume. Frames are parts of at most 512 KiB, so the default payload limit of 1 MiB is enough; it
 * stands here so that nobody has to know the default.
 */
export function natsConfig(): string {
  return `# Generated from deploy/src/nats-config.ts.
server_name: fidelis
port: ${NATS_PORTS.client}
http: 0.0.0.0:${NATS_PORTS.monitor}
max_payload: 1MB

jetstream {
  store_dir: "/data"
  max_memory_store: 256MB
  max_file_store: 16GB
  # What was acknowledged survives the end of the process, but a power cut can take the last two minutes of it. "always" closes that
  # gap and costs throughput; three replicas close it too.
  sync_interval: "2m"
}
`;
}
