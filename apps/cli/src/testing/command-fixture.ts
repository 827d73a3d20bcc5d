import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandHost } from '../command-host.js';
import type { RunView } from '../gateway/documents.js';
import { commandLine, type CommandLineResult } from './command-line.js';
import { FakeGateway, sampleRun, withoutEvaluations } from './fake-gateway.js';

const COMPLETED = withoutEvaluations(sampleRun());
export const QUEUED_RUN: RunView = { ...COMPLETED, state: 'queued' };
const TRAINING: RunView = { ...COMPLETED, state: 'training' };

export interface CommandFailure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A data directory of its own and, once started, a gateway that FIDELIS_GATEWAY names. */
export class CommandFixture {
  gateway: FakeGateway | undefined;

  private constructor(readonly directory: string) {}

  static async create(): Promise<CommandFixture> {
    return new CommandFixture(await mkdtemp(join(tmpdir(), 'fidelis-cli-')));
  }

  async startGateway(changes: Parameters<typeof FakeGateway.start>[0] = {}): Promise<FakeGateway> {
    const page = {
      edges: [{ node: sampleRun() }],
      pageInfo: { hasNextPage: true, endCursor: 'x' },
      totalCount: 7,
    };
    this.gateway = await FakeGateway.start(
      {
        StartRun: () => ({ startRun: QUEUED_RUN }),
        GetRun: () => ({ run: TRAINING }),
        GetRunDetails: () => ({ run: sampleRun() }),
        CancelRun: () => ({ cancelRun: { ...QUEUED_RUN, state: 'cancelled' } }),
        ListRuns: () => ({ runs: page }),
        ...changes,
      },
      () => [TRAINING, COMPLETED],
    );
    return this.gateway;
  }

  run(args: readonly string[], changes: Partial<CommandHost> = {}): Promise<CommandLineResult> {
    const address: Record<string, string> =
      this.gateway === undefined ? {} : { FIDELIS_GATEWAY: this.gateway.url };
    return commandLine(args, { FIDELIS_DATA_DIR: this.directory, ...address }, changes);
  }

  async stopGateway(): Promise<void> {
    await this.gateway?.stop();
    this.gateway = undefined;
  }

  async dispose(): Promise<void> {
    await this.stopGateway();
    await rm(this.directory, { recursive: true });
  }
}

/** The error in the document that a failed command printed. */
export function errorOf({ stdout }: CommandLineResult): CommandFailure {
  return (JSON.parse(stdout) as { readonly error: CommandFailure }).error;
}
