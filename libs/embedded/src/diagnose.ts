import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import { cacheDir } from './directories.js';
import { isAtLeast } from './executables.js';
import { fidelisServices } from './fidelis-services.js';
import { findNatsServer } from './nats-binary.js';
import { findPostgres } from './postgres-binaries.js';

const MIN_NODE_VERSION = '20.19.0';
const RUN_SETUP = 'run npm run setup';

/** One part that Fidelis needs, as `fidelis doctor` shows it. */
export interface Finding {
  readonly part: string;
  readonly ok: boolean;
  readonly version?: string;
  /** Where it comes from. */
  readonly from?: string;
  /** What to do where it is missing or lesser than it could be. */
  readonly advice?: string;
  /** What the set-up tried and how that ended. */
  readonly attempts?: readonly SetupAttempt[];
}

const attemptSchema = z.object({
  what: z.string(),
  ok: z.boolean(),
  reason: z.string().optional(),
  seconds: z.number().optional(),
});
export type SetupAttempt = z.infer<typeof attemptSchema>;

const partSchema = z.object({
  ok: z.boolean(),
  backend: z.enum(['tensorflow', 'wasm']).optional(),
  gpu: z.boolean().optional(),
  version: z.string().optional(),
  from: z.string().optional(),
  path: z.string().optional(),
  libraryPaths: z.array(z.string()).optional(),
  attempts: z.array(attemptSchema),
  advice: z.string().optional(),
});
const setupReportSchema = z.object({
  schema: z.literal(1),
  writtenAt: z.string(),
  node: z.string(),
  cache: z.string(),
  parts: z.object({ natsServer: partSchema, postgresql: partSchema, tensorflow: partSchema }),
});
/** What tools/bootstrap.mjs has found and done. */
export type SetupReport = z.infer<typeof setupReportSchema>;

const reportFile = fileURLToPath(new URL('../../../node_modules/.fidelis/setup.json', import.meta.url));

/** The set-up's report; undefined if the set-up has not been run to its end in this clone. */
export async function readSetupReport(path: string = reportFile): Promise<SetupReport | undefined> {
  try {
    return setupReportSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Looks at every part of the stack without starting any. */
export async function diagnose(env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const report = await readSetupReport();
  return [
    diagnoseNode(),
    await diagnoseProgram('nats-server', async () => {
      const { version, path, source } = await findNatsServer(env);
      return { version, from: `${source}: ${path}` };
    }),
    await diagnoseProgram('postgresql', async () => {
      const { version, binDir, source } = await findPostgres(env);
      return { version, from: `${source}: ${binDir}` };
    }),
    diagnoseCompute(report),
    diagnoseServices(),
    { part: 'cache', ok: existsSync(cacheDir(env)), from: cacheDir(env) },
  ];
}

function diagnoseNode(): Finding {
  const version = process.versions.node;
  const ok = isAtLeast(version, MIN_NODE_VERSION);
  return {
    part: 'node',
    ok,
    version,
    from: process.execPath,
    ...(ok ? {} : { advice: `install Node ${MIN_NODE_VERSION} or newer` }),
  };
}

async function diagnoseProgram(
  part: string,
  find: () => Promise<{ version: string; from: string }>,
): Promise<Finding> {
  try {
    return { part, ok: true, ...(await find()) };
  } catch (error) {
    return { part, ok: false, advice: FidelisError.from(error).message };
  }
}

function diagnoseCompute(report: SetupReport | undefined): Finding {
  const part = 'compute';
  if (report === undefined)
    return { part, ok: false, advice: `the set-up has not been completed: ${RUN_SETUP}` };
  const { tensorflow } = report.parts;
  const backend = tensorflow.backend === 'wasm' ? 'WebAssembly' : 'TensorFlow';
  return {
    part,
    ok: tensorflow.ok,
    version: `${backend} ${tensorflow.version ?? ''}`.trim(),
    attempts: tensorflow.attempts,
    ...(tensorflow.from === undefined ? {} : { from: tensorflow.from }),
    ...(tensorflow.advice === undefined ? {} : { advice: tensorflow.advice }),
  };
}

function diagnoseServices(): Finding {
  const unbuilt = fidelisServices().filter(({ entry }) => !existsSync(entry));
  if (unbuilt.length === 0) return { part: 'services', ok: true };
  const names = [...new Set(unbuilt.map(({ name }) => name))].join(', ');
  return { part: 'services', ok: false, advice: `not built: ${names}; ${RUN_SETUP}` };
}
