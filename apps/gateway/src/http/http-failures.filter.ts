import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { FidelisError } from '@fidelis/contracts';
import { LOGGER, type Logger } from '@fidelis/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOf } from '../graphql/graphql-errors.js';

/**
 * Errors of what is not GraphQL, as `{ "error": { code, message, retryable, details } }` with a status that fits. What nobody expected
 * keeps its message in the log.
 */
@Catch()
export class HttpFailuresFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    // Half an answer cannot become another one: the connection ends, and whoever reads sees that something is missing.
    if (reply.sent || reply.raw.headersSent) {
      this.logger.warn({ err: thrown }, 'an answer ended early');
      reply.raw.destroy();
      return;
    }
    const error = FidelisError.from(thrown);
    const known = error.code !== 'INTERNAL';
    if (!known) this.logger.error({ err: thrown }, 'an HTTP request failed unexpectedly');
    const { id } = http.getRequest<FastifyRequest>();
    const wire = known
      ? error.toWire()
      : {
          code: error.code,
          message: `internal error: the gateway's log has its cause under correlation id ${id}`,
          retryable: false,
        };
    void reply.status(httpStatusOf(error)).send({ error: wire });
  }
}

export function httpStatusOf(error: FidelisError): number {
  if (error.code.endsWith('.NOT_FOUND')) return 404;
  if (error.retryable) return 503;
  return statusOf(error);
}
