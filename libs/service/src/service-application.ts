import 'reflect-metadata';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { JetStreamStrategy } from '@fidelis/bus';
import { NestLogger, type Logger } from '@fidelis/observability';

/** A service: HTTP for health and metrics, the bus for everything else. Nothing listens yet. */
export async function createServiceApplication(
  module: DynamicModule,
  logger: Logger,
): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  app.connectMicroservice({ strategy: app.get(JetStreamStrategy) }, { inheritAppConfig: true });
  return app;
}
