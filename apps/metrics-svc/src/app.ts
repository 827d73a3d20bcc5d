import type { INestApplication } from '@nestjs/common';
import type { Logger } from '@fidelis/observability';
import { createServiceApplication } from '@fidelis/service';
import { AppModule } from './app.module.js';
import type { MetricsConfig } from './config.js';

export function createApp(config: MetricsConfig, logger: Logger): Promise<INestApplication> {
  return createServiceApplication(AppModule.register(config, logger), logger);
}
