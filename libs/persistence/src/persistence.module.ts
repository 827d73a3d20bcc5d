import { setTimeout as sleep } from 'node:timers/promises';
import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { openDatabase, type DatabaseOptions } from './data-source.js';

/** Closing waits for the connections in use: for no longer than this. */
const CLOSE_LIMIT_MS = 3_000;

/** Provides the service's DataSource, migrated; closes it last. */
@Global()
@Module({})
export class PersistenceModule implements OnApplicationShutdown {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: PersistenceModule,
      providers: [{ provide: DataSource, useFactory: () => openDatabase(options) }],
      exports: [DataSource],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.dataSource.isInitialized) return;
    await Promise.race([this.dataSource.destroy(), sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
  }
}

/** For the readiness probe. */
export async function pingDatabase(dataSource: DataSource): Promise<void> {
  await dataSource.query('SELECT 1');
}
