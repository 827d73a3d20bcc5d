import type { BackendReport } from './backend-report.js';
import type { BackendOptions } from './start-backend.js';
import { childPort } from './child-port.js';
import { startBackend } from './start-backend.js';

const port = childPort<BackendOptions, BackendReport>();
for await (const options of port.messages) {
  try {
    await port.send(await startBackend(options));
    await port.close();
  } catch (error) {
    await port.fail(error);
  }
}
