import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { JetStreamStrategy } from '@fidelis/bus';
import { NestLogger, type Logger } from '@fidelis/observability';
import { AppModule } from './app.module.js';
import type { TeacherConfig } from './config.js';

export async function createApp(config: TeacherConfig, logger: Logger): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config, logger),
    new FastifyAdapter(),
    {
      logger: new NestLogger(logger),
      abortOnError: false,
    },
  );
  app.connectMicroservice({ strategy: app.get(JetStreamStrategy) }, { inheritAppConfig: true });
  return app;
}
