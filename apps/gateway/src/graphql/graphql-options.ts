import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DocumentNode } from 'graphql';
import type { PlatformClient } from '../lookups/platform-client.js';
import { assertDocumentWithinLimits, assertTextWithinLimits, DOCUMENT_LIMITS } from './document-limits.js';
import type { ErrorReporter } from './error-reporter.js';
import { statusOf } from './graphql-errors.js';
import { requestContext } from './request-context.js';

export const GRAPHQL_PATH = '/graphql';

/** GraphQL over HTTP. Subscriptions have their own server: see subscription-server.ts. Introspection stays on: tools live by it. */
export function graphqlOptions(platform: PlatformClient, reporter: ErrorReporter): MercuriusDriverConfig {
  return {
    driver: MercuriusDriver,
    path: GRAPHQL_PATH,
    autoSchemaFile: true,
    jit: 1,
    subscription: false,
    graphiql: false,
    fieldResolverEnhancers: ['filters'],
    graphql: { parseOptions: { maxTokens: DOCUMENT_LIMITS.tokens } },
    hooks: {
      preParsing: async (_schema: unknown, source: string) => assertTextWithinLimits(source),
      preValidation: async (_schema: unknown, document: DocumentNode) => assertDocumentWithinLimits(document),
    },
    context: (request: FastifyRequest, reply: FastifyReply) => {
      // Mercurius's own response schema would turn the numbers in an error's path into text.
      reply.serializer((payload) => JSON.stringify(payload));
      return { ...requestContext(platform, request.id) };
    },
    errorFormatter: (execution, context) => ({
      // A request that was executed is answered with 200, as GraphQL over HTTP has it; one that was refused says why.
      statusCode: 'data' in execution ? 200 : statusOf(execution.errors[0]),
      response: {
        data: execution.data ?? null,
        errors: reporter.format(execution.errors, context.reply.request.id),
      },
    }),
  };
}
