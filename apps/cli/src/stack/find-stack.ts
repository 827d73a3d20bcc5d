import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readStackState } from '@fidelis/embedded';

/** The gateway of the stack that runs over `dataDir`, or else of a demo that runs now; undefined if none does. */
export async function runningGateway(dataDir: string): Promise<string | undefined> {
  const own = (await readStackState(dataDir))?.gatewayUrl;
  if (own !== undefined) return own;
  const demos = join(dataDir, 'demo');
  for (const name of await readdir(demos).catch(() => [])) {
    const url = (await readStackState(join(demos, name)))?.gatewayUrl;
    if (url !== undefined) return url;
  }
  return undefined;
}
