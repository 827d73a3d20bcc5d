import { errorWireSchema, FidelisError } from '@fidelis/contracts';
import { decodeJson } from '../connection/json-wire.js';

/** On an answer: its body is an ErrorWire, and this is its code. */
export const RPC_ERROR_HEADER = 'Fidelis-Error-Code';

/** The other side's error as it was there, but for its cause, which stays in that side's log. */
export function decodeRpcError(body: Uint8Array): FidelisError {
  const wire = errorWireSchema.safeParse(decodeJson(body));
  if (wire.success) return FidelisError.fromWire(wire.data);
  return new FidelisError('INTERNAL', 'the other side failed and its error is not readable', {
    cause: wire.error,
  });
}
