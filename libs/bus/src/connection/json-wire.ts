import { FidelisError } from '@fidelis/contracts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** @throws FidelisError REQUEST.INVALID where the bytes are not JSON */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new FidelisError('REQUEST.INVALID', `the message's ${bytes.length} bytes are not JSON`, { cause });
  }
}
