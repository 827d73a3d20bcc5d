import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { useDatasetCopies, useDatasetDirectory } from '@fidelis/data';
import type { Logger } from '@fidelis/observability';
import { createServiceApplication, ServiceCoreModule } from '@fidelis/service';
import type { StudentConfig } from './config.js';
import { ControlModule } from './control/control.module.js';
import { WorkerModule } from './worker/worker.module.js';

@Module({})
class AppModule {
  static register(config: StudentConfig, logger: Logger): DynamicModule {
    const core = { service: 'student-svc', config, logger } as const;
    return {
      module: AppModule,
      imports:
        config.FIDELIS_ROLE === 'control'
          ? [ServiceCoreModule.register(core), ControlModule.register(config, logger)]
          : [
              ServiceCoreModule.register({ ...core, placement: config.FIDELIS_PLACEMENT }),
              WorkerModule.register(config),
            ],
    };
  }
}

/** student-svc in one of its two roles: `control` plans and records, `worker` trains. */
export function createApp(config: StudentConfig, logger: Logger): Promise<INestApplication> {
  useDatasetDirectory(config.FIDELIS_DATASETS_DIR);
  useDatasetCopies(config.FIDELIS_DATASET_COPIES_DIR);
  return createServiceApplication(AppModule.register(config, logger), logger);
}
