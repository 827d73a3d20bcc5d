import type { StreamDefinition } from '@fidelis/contracts';
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

/** The part of a stream's configuration that we ask for; the server fills in the rest. */
export type RequestedStream = Pick<
  StreamConfig,
  'name' | 'subjects' | 'retention' | 'storage' | 'discard' | 'max_age' | 'num_replicas' | 'allow_direct'
> &
  Partial<Pick<StreamConfig, 'description' | 'first_seq' | 'max_bytes'>>;

export function streamConfig(definition: StreamDefinition, replicas: number): RequestedStream {
  return {
    name: definition.name,
    description: definition.description,
    subjects: [...definition.subjects],
    retention: definition.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full store refuses what is new: what was accepted is kept.
    discard: DiscardPolicy.New,
    max_age: nanos(definition.maxAgeSeconds * 1_000),
    num_replicas: replicas,
    allow_direct: true,
  };
}

/** Fields whose actual value is not the requested one. An old server drops what it does not know without a word. */
export function differences(requested: RequestedStream, actual: StreamConfig): string[] {
  return Object.entries(requested)
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(actual[field as keyof StreamConfig]))
    .map(([field]) => field);
}
