import { createServer } from 'node:net';
import { FidelisError } from '@fidelis/contracts';

const LOOPBACK = '127.0.0.1';

/** Listens on `port` (0: any) and lets go at once; resolves to the port. */
function tryPort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no TCP address'));
        else resolve(address.port);
      });
    });
  });
}

/** A port that was free a moment ago. */
export function freePort(host = LOOPBACK): Promise<number> {
  return tryPort(0, host);
}

export async function isPortFree(port: number, host = LOOPBACK): Promise<boolean> {
  return tryPort(port, host).then(
    () => true,
    () => false,
  );
}

/** @throws PORT.IN_USE naming the port */
export function portInUse(port: number, cause?: unknown): FidelisError {
  return new FidelisError(
    'PORT.IN_USE',
    `port ${port} on ${LOOPBACK} is in use by another program. Stop that program or choose another port.`,
    { details: { port }, cause },
  );
}

/** @throws PORT.IN_USE if another program listens there */
export async function assertPortFree(port: number, host = LOOPBACK): Promise<void> {
  try {
    await tryPort(port, host);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') throw portInUse(port, error);
    const reason = code === 'EACCES' ? 'needs more rights than this user has' : (error as Error).message;
    throw new FidelisError(
      'PORT.IN_USE',
      `port ${port} on ${host} cannot be used: ${reason}. Choose another port.`,
      {
        details: { port },
        cause: error,
      },
    );
  }
}
