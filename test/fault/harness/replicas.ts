import { fidelisServices, type ServiceDefinition } from '@fidelis/embedded';

export interface ReplicaOptions {
  /** Workers beside the first one. */
  readonly workers?: number;
  /** A second teacher service; `twin` has the name of the first, so that no lease keeps them apart. */
  readonly teacher?: 'other' | 'twin';
}

/** The services of a stack of which some have replicas; each goes by its own name on the bus. */
export function replicated({ workers = 0, teacher }: ReplicaOptions): readonly ServiceDefinition[] {
  return fidelisServices().flatMap((service) => {
    if (service.name === 'student-worker') {
      return [named(service), ...Array.from({ length: workers }, (_, index) => named(service, index + 2))];
    }
    if (service.name === 'teacher' && teacher !== undefined) {
      return [named(service), named(service, 2, teacher === 'twin' ? service.name : undefined)];
    }
    return [service];
  });
}

function named(service: ServiceDefinition, number = 1, instance?: string): ServiceDefinition {
  const name = number === 1 ? service.name : `${service.name}-${number}`;
  return { ...service, name, env: { ...service.env, FIDELIS_INSTANCE: instance ?? name } };
}
