import { FidelisError } from '@fidelis/contracts';
import type { CommandHost } from '../command-host.js';
import type { GatewayOptions } from '../options.js';
import { runningGateway } from '../stack/find-stack.js';
import { GatewayClient } from './gateway-client.js';

export interface GatewayAddress {
  readonly url: string;
  /** It is that of the embedded stack on this machine, whose services have the datasets of this machine. */
  readonly embedded: boolean;
}

/** Where the gateway is that the options and the environment mean; undefined if no stack is known. */
export async function findGateway(
  { config }: CommandHost,
  options: GatewayOptions,
): Promise<GatewayAddress | undefined> {
  const running = await runningGateway(options.dataDir ?? config.dataDir);
  const url = options.gateway ?? config.gateway ?? running;
  if (url === undefined) return undefined;
  return { url, embedded: running !== undefined && new URL(url).host === new URL(running).host };
}

/**
 * Finds the gateway, lets `use` talk to it, and closes the connection.
 *
 * @throws FidelisError SETUP.MISSING if no stack is known
 */
export async function withGatewayClient<Result>(
  host: CommandHost,
  options: GatewayOptions,
  use: (client: GatewayClient) => Promise<Result>,
): Promise<Result> {
  return withClientOf(requireGateway(await findGateway(host, options), host, options), use);
}

/** @throws FidelisError SETUP.MISSING if no stack is known */
export function requireGateway(
  address: GatewayAddress | undefined,
  { config }: CommandHost,
  options: GatewayOptions,
): GatewayAddress {
  if (address !== undefined) return address;
  const dataDir = options.dataDir ?? config.dataDir;
  throw new FidelisError(
    'SETUP.MISSING',
    `No stack runs on this machine (none over ${dataDir}). ` +
      'Start one in another terminal with `npm run fidelis -- up`, or name a gateway with --gateway or FIDELIS_GATEWAY.',
    { details: { dataDir } },
  );
}

/** Lets `use` talk to a gateway that was found, and closes the connection. */
export async function withClientOf<Result>(
  { url }: GatewayAddress,
  use: (client: GatewayClient) => Promise<Result>,
): Promise<Result> {
  const client = new GatewayClient(url);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
