// Reads the logit stream argv[3] of the NATS at argv[2] until it is killed, and says how many frames it has.
import { connectBus, LogitLog } from '@fidelis/bus';

const [, , servers, key, parts] = process.argv;
const connection = await connectBus({ servers, name: 'killed-reader' });
let frames = 0;
for await (const frame of new LogitLog(connection).read(key, { parts: Number(parts), fromStep: 0 })) {
  process.send({ frames: ++frames, step: frame.step });
}
