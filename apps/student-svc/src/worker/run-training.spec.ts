import { startBackend } from '@fidelis/compute';
import { policyAugmentation, type TeacherJob } from '@fidelis/contracts';
import { loadDataset, datasetRef } from '@fidelis/data';
import { EAGER } from '@fidelis/distillation';
import { beforeAll, describe, expect, it } from 'vitest';
import { runTraining } from './run-training.js';
import type { FromTrainer } from './trainer-protocol.js';

const producer = { backend: 'wasm', backendVersion: '4.22.0', threads: 1, platform: 'linux-x64' };

type Message<Type extends FromTrainer['type']> = Extract<FromTrainer, { type: Type }>;

async function jobWith(changes: Partial<TeacherJob> = {}): Promise<TeacherJob> {
  return {
    kind: 'teacher',
    runId: 't-0123456789ab',
    correlationId: 'c-1',
    dataset: datasetRef(await loadDataset('mnist')),
    classes: 10,
    architecture: { name: 'mlp', hiddenUnits: [16] },
    seed: 3,
    epochs: 3,
    batchSize: 16,
    subset: { size: 50, stratified: true, seed: 0 },
    optimizer: { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0 },
    schedule: { kind: 'cosine', floor: 0 },
    ...changes,
  };
}

/** What a training process says from the checkpoint to the end. */
async function messagesOf(job: TeacherJob, checkpoint: Uint8Array | null = null): Promise<FromTrainer[]> {
  const sent: FromTrainer[] = [];
  await runTraining({
    start: {
      type: 'start',
      job,
      backend: 'wasm',
      threads: 1,
      eager: true,
      graphs: '',
      allowProducerChange: false,
      checkpoint,
      teacherWeights: null,
    },
    producer,
    attempts: [],
    compiler: EAGER,
    execution: () => ({ mode: 'eager', reason: 'of a test' }),
    stopping: new AbortController().signal,
    inbox: { next: () => Promise.resolve({ done: true, value: undefined }) },
    send: (message) => {
      sent.push(message);
      return Promise.resolve();
    },
  });
  return sent;
}

function ofType<Type extends FromTrainer['type']>(
  messages: readonly FromTrainer[],
  type: Type,
): Message<Type>[] {
  return messages.filter((message): message is Message<Type> => message.type === type);
}

function weightsOf(messages: readonly FromTrainer[]): string {
  return Buffer.from(ofType(messages, 'completed')[0]?.weights ?? []).toString('base64');
}

describe("a teacher's training with augmentation", () => {
  beforeAll(() => startBackend({ preference: 'wasm' }));
  const augmentation = policyAugmentation('baseline');

  it('is another than without, and the same from run to run', async () => {
    const augmented = weightsOf(await messagesOf(await jobWith({ augmentation })));
    expect(weightsOf(await messagesOf(await jobWith({ augmentation })))).toBe(augmented);
    expect(weightsOf(await messagesOf(await jobWith()))).not.toBe(augmented);
  });

  it('goes on from a checkpoint to the same bits', async () => {
    const job = await jobWith({ augmentation });
    const whole = await messagesOf(job);
    const [first] = ofType(whole, 'checkpoint');
    const resumed = await messagesOf(job, first?.bytes ?? null);
    expect(ofType(resumed, 'started')[0]?.fromStep).toBe(4);
    expect(weightsOf(resumed)).toBe(weightsOf(whole));
  });

  it('does not go on from a checkpoint of the same training without', async () => {
    const [first] = ofType(await messagesOf(await jobWith()), 'checkpoint');
    await expect(messagesOf(await jobWith({ augmentation }), first?.bytes ?? null)).rejects.toMatchObject({
      code: 'WEIGHTS.INVALID',
    });
  });
});
