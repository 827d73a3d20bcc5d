import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestLogger, runInContext, type Logger } from '@fidelis/observability';
import type { IncomingMessage } from 'node:http';
import { AppModule } from './app.module.js';
import { BYTES_MEDIA_TYPE } from './artifacts/artifacts.controller.js';
import type { GatewayConfig } from './config.js';
import { CORRELATION_HTTP_HEADER, correlationIdOf } from './graphql/request-context.js';

/** A spec is a few kilobytes. */
const BODY_LIMIT_BYTES = 262_144;

/** The gateway, connected to the bus, not listening yet. */
export async function createGateway(config: GatewayConfig, logger: Logger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: (request: IncomingMessage) => correlationIdOf(request.headers),
  });
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request, reply, next) => {
    reply.header(CORRELATION_HTTP_HEADER, request.id);
    next();
  });
  // Taken as it comes, by whoever handles it: Fastify's own limit is for what it reads into memory.
  fastify.addContentTypeParser(BYTES_MEDIA_TYPE, (_request, payload, done) => done(null, payload));
  // After the body was read: its events would lose the context.
  fastify.addHook('preHandler', (request, _reply, next) => {
    runInContext({ correlationId: request.id }, next);
  });
  return NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, logger), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    // Nest's would also take forms, which a page from elsewhere can send without asking; Fastify's takes JSON.
    bodyParser: false,
  });
}
