import { ERROR_CODES, FidelisError, type ErrorCode } from '@fidelis/contracts';
import { z } from 'zod';

/** An error of a GraphQL answer; `extensions` as the gateway writes them. */
export const graphqlErrorSchema = z.looseObject({
  message: z.string(),
  extensions: z
    .looseObject({
      code: z.string().optional(),
      retryable: z.boolean().optional(),
      details: z.record(z.string(), z.unknown()).nullish(),
    })
    .optional(),
});
export type GraphqlError = z.output<typeof graphqlErrorSchema>;

/** The first error of an answer, with the code that it had in the service that found it. */
export function fromGraphqlErrors(errors: readonly GraphqlError[]): FidelisError {
  const [first] = errors;
  const { code, retryable, details } = first?.extensions ?? {};
  return new FidelisError(
    isErrorCode(code) ? code : 'INTERNAL',
    first?.message ?? 'the gateway gave no reason',
    {
      ...(retryable === undefined ? {} : { retryable }),
      ...(details === undefined || details === null ? {} : { details }),
    },
  );
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERROR_CODES, code);
}

export function gatewayUnreachable(url: URL, cause: unknown): FidelisError {
  return new FidelisError(
    'GATEWAY.UNAVAILABLE',
    `No gateway answers at ${url.href}. Is the stack running? \`fidelis up\` starts one; --gateway names another.`,
    { cause, details: { url: url.href } },
  );
}
