import type { INestApplication } from '@nestjs/common';
import { useDatasetCopies, useDatasetDirectory } from '@fidelis/data';
import type { Logger } from '@fidelis/observability';
import { createServiceApplication } from '@fidelis/service';
import { AppModule } from './app.module.js';
import type { MetricsConfig } from './config.js';

export function createApp(config: MetricsConfig, logger: Logger): Promise<INestApplication> {
  useDatasetDirectory(config.FIDELIS_DATASETS_DIR);
  useDatasetCopies(config.FIDELIS_DATASET_COPIES_DIR);
  return createServiceApplication(AppModule.register(config, logger), logger);
}
