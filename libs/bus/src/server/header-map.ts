import type { MsgHdrs } from '@nats-io/transport-node';

/** The first value of each header. */
export function headerMap(received: MsgHdrs | undefined): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, values] of received ?? []) map.set(name, values[0] ?? '');
  return map;
}
