import { Catch, type ExceptionFilter } from '@nestjs/common';

/**
 * Hands an error on to GraphQL as it is. Without it Nest writes each one to the log with its stack, also those that are
 * the caller's; the edge's mapper logs what an operator has to see.
 */
@Catch()
export class ResolverErrorsFilter implements ExceptionFilter {
  catch(error: unknown): never {
    throw error;
  }
}
