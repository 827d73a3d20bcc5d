import {
  Global,
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { EventPublisher } from '@fidelis/bus';
import { HealthRegistry, LOGGER, type Logger } from '@fidelis/observability';
import { Outbox, outboxProvider, PersistenceModule, pingDatabase } from '@fidelis/persistence';
import { DataSource } from 'typeorm';

export interface ServiceDatabaseOptions {
  readonly config: { readonly FIDELIS_DATABASE_URL: string };
  readonly schema: string;
  readonly entities: readonly NewableFunction[];
  readonly migrations: readonly NewableFunction[];
  readonly logger: Logger;
}

/** Publishes what the outbox keeps for as long as the service runs. */
@Injectable()
class DatabaseLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register('database', () => pingDatabase(this.dataSource));
    this.outbox.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.outbox.stop();
  }
}

/** The schema that a service owns, and its outbox. */
@Global()
@Module({})
export class ServiceDatabaseModule {
  static register({ config, schema, entities, migrations, logger }: ServiceDatabaseOptions): DynamicModule {
    return {
      module: ServiceDatabaseModule,
      imports: [
        PersistenceModule.forRoot({
          url: config.FIDELIS_DATABASE_URL,
          schema,
          entities,
          migrations,
          onRetry: (error) => logger.warn({ err: error }, 'no database yet, still trying'),
        }),
      ],
      providers: [DatabaseLifecycle, outboxProvider(schema, EventPublisher, LOGGER)],
      exports: [Outbox],
    };
  }
}
