import { FidelisError } from '@fidelis/contracts';
import type { CommandHost } from '../command-host.js';
import type { GatewayOptions } from '../options.js';
import { runningGateway } from '../stack/find-stack.js';
import { GatewayClient } from './gateway-client.js';

/**
 * Finds the gateway, lets `use` talk to it, and closes the connection.
 *
 * @throws FidelisError SETUP.MISSING if no stack is known
 */
export async function withGatewayClient<Result>(
  { config }: CommandHost,
  options: GatewayOptions,
  use: (client: GatewayClient) => Promise<Result>,
): Promise<Result> {
  const dataDir = options.dataDir ?? config.dataDir;
  const url = options.gateway ?? config.gateway ?? (await runningGateway(dataDir));
  if (url === undefined) {
    throw new FidelisError(
      'SETUP.MISSING',
      `No stack runs on this machine (none over ${dataDir}). ` +
        'Start one in another terminal with `npm run fidelis -- up`, or name a gateway with --gateway or FIDELIS_GATEWAY.',
      { details: { dataDir } },
    );
  }
  const client = new GatewayClient(url);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
