import { FidelisError } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { busError } from '../connection/bus-error.js';

const DEADLINE_MS = 2_000;

/** Readiness of the connection: a round trip to the server over the connection that everything else uses. */
export class BusHealth {
  constructor(
    private readonly connection: NatsConnection,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  /** @throws FidelisError BUS.UNAVAILABLE without an answer in time */
  async check(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new FidelisError('BUS.UNAVAILABLE', `NATS did not answer within ${this.deadlineMs} ms`));
      }, this.deadlineMs);
    });
    try {
      await Promise.race([this.connection.rtt(), late]);
    } catch (error) {
      throw busError(error, 'reach NATS');
    } finally {
      clearTimeout(timer);
    }
  }
}
