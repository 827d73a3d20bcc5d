import { Inject, Injectable } from '@nestjs/common';
import { EventSubscriber } from '@fidelis/bus';
import { runEvents, runRpc, subjectToken, type RunRecord } from '@fidelis/contracts';
import { MetricsRegistry } from '@fidelis/observability';
import { BusReconnects } from '../bus/bus-reconnects.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { followRun } from './run-follower.js';

const POLL_MS = 5_000;
/** Each state holds the whole run: what a reader missed is in the next one. */
const QUEUE_LIMIT = 16;

@Injectable()
export class RunProgressService {
  constructor(
    @Inject(PlatformClient) private readonly platform: PlatformClient,
    @Inject(EventSubscriber) private readonly events: EventSubscriber,
    @Inject(BusReconnects) private readonly reconnects: BusReconnects,
    @Inject(MetricsRegistry) private readonly metrics: MetricsRegistry,
  ) {}

  /** @throws FidelisError RUN.NOT_FOUND; REQUEST.INVALID where the id cannot be one */
  async follow(id: string, correlationId: string): Promise<AsyncIterableIterator<RunRecord>> {
    subjectToken(id);
    const open = this.metrics.gauge('fidelis_subscriptions');
    open.inc();
    return followRun(
      {
        read: () => this.platform.call(runRpc.get, { id }, correlationId),
        subscribe: () => this.events.subscribe(runEvents.changed, id, { queueLimit: QUEUE_LIMIT }),
        onGap: (listener) => this.reconnects.onReconnect(listener),
      },
      { pollMs: POLL_MS, queueLimit: QUEUE_LIMIT, onEnd: () => open.dec() },
    );
  }
}
