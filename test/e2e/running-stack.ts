import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startStack, type Stack, type StackOptions } from '@fidelis/embedded';
import {
  ENDED_RUN_STATES,
  type EvaluationRecord,
  type ExperimentSpecInput,
  type RunRecord,
} from '@fidelis/contracts';
import { createTemporaryDirectory, waitFor } from '@fidelis/testing';

/** What the tests read of a run. */
export type Run = Pick<
  RunRecord,
  'id' | 'state' | 'stages' | 'progress' | 'lineage' | 'frames' | 'attempts' | 'error'
> & {
  readonly evaluations: readonly Pick<
    EvaluationRecord,
    'set' | 'step' | 'final' | 'n' | 'fidelity' | 'teacher' | 'student'
  >[];
};

const RUN_FIELDS = `
  id state attempts
  stages { name state done total reused seconds }
  progress { step steps epoch epochs loss learningRate imagesPerSecond waitSeconds }
  lineage { teacherId teacherDigest streamKey weightsDigest producer { backend } execution { mode reason } }
  frames { published consumed trained closed }
  error { code message details }
  evaluations { set step final n
    fidelity { top1Agreement predictiveKl } teacher { accuracy nll ece } student { accuracy nll ece } }`;

const RUN_DEADLINE_MS = 180_000;

interface GraphqlAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** A stack of its own for one suite, spoken to as people do: through the gateway. */
export class RunningStack implements AsyncDisposable {
  private constructor(
    readonly stack: Stack,
    private readonly removeDirectory: () => Promise<void>,
  ) {}

  /** Its processes have their temporary files and graphs in its directory, too: what they leave behind can be seen. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    options: Pick<StackOptions, 'services' | 'restartPolicy'> = {},
  ): Promise<RunningStack> {
    const directory = await createTemporaryDirectory();
    const temporary = join(directory.path, 'tmp');
    await mkdir(temporary);
    const own = { TMPDIR: temporary, FIDELIS_GRAPHS_DIR: join(directory.path, 'graphs') };
    const stack = await startStack({ dataDir: directory.path, env: { ...own, ...env }, ...options });
    return new RunningStack(stack, () => directory.remove());
  }

  async graphql(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<GraphqlAnswer> {
    const response = await fetch(new URL('/graphql', this.stack.gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphqlAnswer;
  }

  async startRun(spec: ExperimentSpecInput): Promise<string> {
    const answer = await this.graphql('mutation ($spec: JSON!) { startRun(spec: $spec) { id } }', { spec });
    if (answer.data === undefined || answer.data === null) throw new Error(JSON.stringify(answer.errors));
    return (answer.data['startRun'] as { id: string }).id;
  }

  async run(id: string): Promise<Run> {
    const answer = await this.graphql(`query ($id: ID!) { run(id: $id) { ${RUN_FIELDS} } }`, { id });
    if (answer.data?.['run'] === undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data['run'] as Run;
  }

  /** Also while services restart: an answer that does not come is asked for again. */
  async waitForRun(
    id: string,
    what: string,
    condition: (run: Run) => boolean,
    deadlineMs = RUN_DEADLINE_MS,
  ): Promise<Run> {
    let found: Run | undefined;
    await waitFor(
      async () => {
        found = await this.run(id).catch(() => undefined);
        return found !== undefined && (condition(found) || hasEnded(found));
      },
      { deadlineMs, everyMs: 100, what: `run ${id}: ${what}` },
    );
    if (found === undefined) throw new Error(`run ${id} was not found`);
    if (condition(found)) return found;
    throw new Error(
      `run ${id} was not seen ${what} before it was ${found.state}: ${JSON.stringify(found.error)}`,
    );
  }

  async finished(id: string, deadlineMs = RUN_DEADLINE_MS): Promise<Run> {
    return this.waitForRun(id, 'to end', hasEnded, deadlineMs);
  }

  pidOf(service: string): number {
    const pid = this.stack.services.find(({ name }) => name === service)?.pid;
    if (pid === undefined) throw new Error(`${service} does not run`);
    return pid;
  }

  restartsOf(service: string): number {
    return this.stack.services.find(({ name }) => name === service)?.restarts ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.stop();
    await this.removeDirectory();
  }
}

function hasEnded({ state }: Run): boolean {
  return ENDED_RUN_STATES.includes(state);
}

/** Seconds instead of minutes: a part of the data, a teacher that has seen little. */
export function smallSpec(overrides: Partial<ExperimentSpecInput> = {}): ExperimentSpecInput {
  return {
    name: 'small',
    seed: 7,
    dataset: 'mnist',
    teacher: {
      architecture: 'lenet5',
      train: {
        subset: { size: 200 },
        epochs: 40,
        batchSize: 32,
        optimizer: { learningRate: 0.03 },
      },
    },
    view: { kind: 'table', subset: { size: 3_000 } },
    student: {
      architecture: 'lenet5',
      epochs: 3,
      batchSize: 64,
      optimizer: { learningRate: 0.02 },
    },
    evaluation: { sets: ['test'], everyEpochs: 0 },
    ...overrides,
  };
}
