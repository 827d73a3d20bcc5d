import { Inject, Injectable } from '@nestjs/common';
import { RpcClient } from '@fidelis/bus';
import { FidelisError, SUBJECT_ROOT, type RpcContract } from '@fidelis/contracts';
import { MetricsRegistry } from '@fidelis/observability';
import type { z } from 'zod';

const RPC_PREFIX = `${SUBJECT_ROOT}.rpc.`;

/** Every call that the gateway makes to a service: with the correlation id of its request, and measured. */
@Injectable()
export class PlatformClient {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(MetricsRegistry) private readonly metrics: MetricsRegistry,
  ) {}

  /** @throws FidelisError the service's own; BUS.UNAVAILABLE, BUS.TIMEOUT where none answers */
  async call<Request extends z.ZodType, Response extends z.ZodType>(
    contract: RpcContract<Request, Response>,
    request: z.input<Request>,
    correlationId: string,
  ): Promise<z.output<Response>> {
    const method = contract.subject.slice(RPC_PREFIX.length);
    const stop = this.metrics.histogram('fidelis_rpc_duration_seconds').startTimer({ method });
    try {
      const response = await this.rpc.call(contract, request, { correlationId });
      stop({ outcome: 'ok' });
      return response;
    } catch (error) {
      stop({ outcome: FidelisError.from(error).code });
      throw error;
    }
  }
}
