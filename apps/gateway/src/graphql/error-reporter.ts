import { Inject, Injectable } from '@nestjs/common';
import { LOGGER, type Logger } from '@fidelis/observability';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { formatErrors } from './graphql-errors.js';

/** Errors as clients get them; those that nobody expected go to the log with their cause. */
@Injectable()
export class ErrorReporter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  format(errors: readonly unknown[], correlationId: string): GraphQLFormattedError[] {
    return formatErrors(errors, correlationId, (error) => {
      const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
      this.logger.error({ correlationId, err: cause }, 'a GraphQL request failed unexpectedly');
    });
  }
}
