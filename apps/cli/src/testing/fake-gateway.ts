import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { experimentSpecSchema, FidelisError, type ErrorWire } from '@fidelis/contracts';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import type { RunDetails } from '../gateway/documents.js';

type Variables = Readonly<Record<string, unknown>>;
type Answer = (variables: Variables) => unknown;

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).default({}),
});
const frameSchema = z.object({
  type: z.string(),
  id: z.string().optional(),
  payload: z.unknown().optional(),
});

/** Answers by the name of the operation, over HTTP and graphql-transport-ws, as the real gateway would. */
export class FakeGateway {
  readonly requests: { readonly operation: string; readonly variables: Variables }[] = [];
  private readonly server = createServer((request, response) => {
    void this.answer(request).then((body) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
  });
  private readonly sockets = new WebSocketServer({ server: this.server, path: '/graphql' });

  private constructor(
    private readonly answers: Readonly<Record<string, Answer>>,
    private readonly progress: (id: string) => readonly unknown[],
  ) {
    this.sockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        const { type, id, payload } = frameSchema.parse(JSON.parse(data.toString()));
        const send = (message: object): void => socket.send(JSON.stringify(message));
        if (type === 'connection_init') send({ type: 'connection_ack' });
        if (type !== 'subscribe') return;
        const { variables } = requestSchema.parse(payload);
        for (const runProgress of this.progress(String(variables['id']))) {
          send({ type: 'next', id, payload: { data: { runProgress } } });
        }
        send({ type: 'complete', id });
      });
    });
  }

  static async start(
    answers: Readonly<Record<string, Answer>>,
    progress: (id: string) => readonly unknown[] = () => [],
  ): Promise<FakeGateway> {
    const gateway = new FakeGateway(answers, progress);
    gateway.server.listen(0, '127.0.0.1');
    await once(gateway.server, 'listening');
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query, variables } = requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    const operation = /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
    this.requests.push({ operation, variables });
    try {
      return { data: await this.answers[operation]?.(variables) };
    } catch (error) {
      const { code, message, retryable, details }: ErrorWire = FidelisError.from(error).toWire();
      return { data: null, errors: [{ message, extensions: { code, retryable, details } }] };
    }
  }
}

const DIGEST = 'ab'.repeat(32);
const NOW = '2026-01-31T12:00:05.000Z';

/** A run as the gateway tells it, completed unless said otherwise. */
export function sampleRun(changes: Partial<RunDetails> = {}): RunDetails {
  const train = { epochs: 3, batchSize: 128, optimizer: { learningRate: 0.01 } };
  const binned = {
    mce: 0.2,
    rmsce: 0.06,
    rmsceDebiased: 0.055,
    eceDebiased: 0.015,
    nullEce: 0.004,
    classwiseEce: 0.008,
  };
  const model = {
    ...binned,
    top5Accuracy: 0.993,
    brier: 0.2371,
    murphy: { reliability: 0.01, resolution: 0.67, uncertainty: 0.9 },
    eceVariants: [],
  };
  const fidelity = {
    top1Agreement: 0.9643,
    top5Agreement: 0.9991,
    topK: 5,
    predictiveKl: 0.0213,
    reverseKl: 0.0221,
    jensenShannon: 0.0052,
    totalVariation: 0.0312,
    cohenKappa: 0.9603,
    agreementTeacherRight: 0.98,
    agreementTeacherWrong: 0.9,
    calibration: { ...binned, ece: 0.01 },
  };
  const evaluation = {
    runId: 'r-1',
    teacherId: 't-0123456789ab',
    step: 1_407,
    epoch: 3,
    final: true,
    classes: 10,
    bins: 15,
    convention: 'torchmetrics' as const,
    teacher: { ...model, accuracy: 0.841, nll: 0.5512, ece: 0.0213 },
    student: { ...model, accuracy: 0.8428, nll: 0.5401, ece: 0.0177 },
    infinite: [],
    createdAt: NOW,
  };
  return {
    id: 'r-1',
    name: 'lenet5-mnist',
    state: 'completed',
    spec: experimentSpecSchema.parse({
      name: 'lenet5-mnist',
      dataset: 'mnist',
      teacher: { architecture: 'lenet5', train },
      student: { architecture: 'lenet5', ...train },
    }),
    stages: [
      { name: 'teacher', state: 'done', done: 700, total: 700, reused: false, startedAt: NOW, seconds: 9 },
      {
        name: 'stream',
        state: 'done',
        done: 60_000,
        total: 60_000,
        reused: true,
        startedAt: NOW,
        seconds: 0,
      },
      {
        name: 'student',
        state: 'done',
        done: 1_407,
        total: 1_407,
        reused: false,
        startedAt: NOW,
        seconds: 20.5,
      },
      { name: 'evaluation', state: 'done', done: 2, total: 2, reused: false, startedAt: NOW, seconds: 4 },
    ],
    progress: {
      step: 1_407,
      steps: 1_407,
      epoch: 3,
      epochs: 3,
      loss: 0.02,
      learningRate: 0,
      imagesPerSecond: 9_000,
      waitSeconds: 1.5,
    },
    lineage: {
      dataset: { name: 'mnist', digest: DIGEST },
      teacherId: 't-0123456789ab',
      teacherDigest: DIGEST,
      streamKey: '0123456789abcdef',
      weightsDigest: DIGEST,
      producer: { backend: 'tensorflow', backendVersion: '2.21.0', threads: 1, platform: 'linux-x64' },
      teacherProducer: { backend: 'tensorflow', backendVersion: '2.21.0', threads: 1, platform: 'linux-x64' },
      execution: { mode: 'graph', reason: null },
    },
    frames: { published: 59, consumed: 59, trained: 59, closed: true },
    attempts: 1,
    error: null,
    correlationId: 'c-1',
    createdAt: NOW,
    startedAt: NOW,
    endedAt: NOW,
    evaluations: [
      {
        ...evaluation,
        id: 'r-1.test.1407',
        set: 'test',
        n: 10_000,
        fidelity,
      },
      {
        ...evaluation,
        id: 'r-1.train-clean.1407',
        set: 'train-clean',
        n: 60_000,
        fidelity: { ...fidelity, top1Agreement: 0.9661, predictiveKl: 0.0199 },
      },
    ],
    ...changes,
  };
}

/** The same without what a follower does not ask for. */
export function withoutEvaluations(run: RunDetails): Omit<RunDetails, 'evaluations'> {
  const { evaluations: _, ...rest } = run;
  return rest;
}
