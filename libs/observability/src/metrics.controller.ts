import { Controller, Get, Inject, Res } from '@nestjs/common';
import { MetricsRegistry } from './metrics-registry.js';

interface TypedReply {
  type(contentType: string): TypedReply;
  send(body: unknown): unknown;
}

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(MetricsRegistry) private readonly metrics: MetricsRegistry) {}

  @Get()
  async scrape(@Res() reply: TypedReply): Promise<void> {
    const { registry } = this.metrics;
    reply.type(registry.contentType).send(await this.metrics.scrape());
  }
}
