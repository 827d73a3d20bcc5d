import { connectBus, type NatsConnection } from '@fidelis/bus';
import { DEAD_LETTER_HEADERS, STREAMS } from '@fidelis/contracts';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from './harness/child-processes.js';
import { RunningStack, smallSpec } from '../e2e/running-stack.js';

describe.skipIf(process.platform !== 'linux')('a run whose training gets stuck', () => {
  let sut: RunningStack;
  let bus: NatsConnection;

  beforeAll(async () => {
    sut = await RunningStack.start({ FIDELIS_MAX_ATTEMPTS: '2' });
    bus = await connectBus({ servers: sut.stack.natsUrl, name: 'test' });
  });

  afterAll(async () => {
    await bus?.close();
    await sut?.[Symbol.asyncDispose]();
  });

  const trainers = (): number[] => childrenOf(sut.pidOf('student-worker'));

  it('fails after its attempts when nothing gets it further, and leaves its job among the dead letters', async () => {
    const { student, ...rest } = smallSpec({ name: 'poison' });
    const id = await sut.startRun({ ...rest, student: { ...student, epochs: 2_000 } });
    await sut.waitForRun(id, 'to have its frames', ({ frames }) => frames.published === 3);
    const killer = setInterval(() => {
      for (const trainer of trainers()) process.kill(trainer, 'SIGKILL');
    }, 50);
    const run = await sut.finished(id);
    clearInterval(killer);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'TRAINING.ATTEMPTS_EXHAUSTED' } });
    expect(run.error?.message).toContain(id);

    const manager = await jetstreamManager(bus);
    const letter = await manager.streams.getMessage(STREAMS.deadLetters.name, {
      last_by_subj: 'fidelis.v1.dead.job.trainers-cpu',
    });
    expect(letter?.header.get(DEAD_LETTER_HEADERS.code)).toBe('TRAINING.ATTEMPTS_EXHAUSTED');
    expect(letter?.json()).toMatchObject({ runId: id });
    expect((await sut.finished(await sut.startRun(smallSpec({ name: 'next' })))).state).toBe('completed');
  });
});
