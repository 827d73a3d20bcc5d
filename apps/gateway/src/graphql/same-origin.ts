import type { IncomingHttpHeaders } from 'node:http';

/** True for programs, which send no origin, and for pages that this host served. */
export function isSameOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
