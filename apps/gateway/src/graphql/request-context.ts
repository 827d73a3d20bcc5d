import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { PlatformClient } from '../lookups/platform-client.js';
import { RecordLookups } from '../lookups/record-lookups.js';

/** Of HTTP requests and their answers. On the bus the same id travels in its own header. */
export const CORRELATION_HTTP_HEADER = 'x-correlation-id';

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** What every resolver gets. One for each HTTP request, and one for each operation of a WebSocket. */
export interface RequestContext {
  readonly correlationId: string;
  readonly lookups: RecordLookups;
}

/** The caller's id if it is fit for headers and logs, else a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  const given = headers[CORRELATION_HTTP_HEADER];
  return typeof given === 'string' && CORRELATION_ID.test(given) ? given : randomUUID();
}

export function requestContext(platform: PlatformClient, correlationId: string): RequestContext {
  return { correlationId, lookups: new RecordLookups(platform, correlationId) };
}
