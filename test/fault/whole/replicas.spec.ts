import { jobSubject, STREAMS, trainJob } from '@fidelis/contracts';
import { jetstream } from '@nats-io/jetstream';
import { waitFor } from '@fidelis/testing';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Paused } from '../harness/disturbance.js';
import { FAULT_SPECS } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { replicated } from '../harness/replicas.js';
import { logLines } from '../harness/service-log.js';
import { Survival } from '../harness/survival.js';
import { expectNothingLeft } from '../harness/undisturbed.js';

const TAKE_OVER_DEADLINE_MS = 60_000;
const { sequence, table } = FAULT_SPECS;

describe.skipIf(process.platform !== 'linux')(
  'a run for which there are several workers and teachers',
  () => {
    let stack: FaultStack;
    let sut: Survival;

    beforeAll(async () => {
      stack = await FaultStack.start({ services: replicated({ workers: 1, teacher: 'other' }) });
      sut = new Survival(stack);
    });

    afterAll(async () => {
      await stack[Symbol.asyncDispose]();
    });

    const refusals = async (worker: string): Promise<number> =>
      (await logLines(stack, worker)).filter(({ code }) => code === 'RUN.LEASE_LOST').length;

    for (const [of, { steps }] of Object.entries({ sequence, table })) {
      it(`goes to another worker when its own is paused, which can write nothing when it wakes up (${of})`, async (test) => {
        let paused = '';
        let refusedBefore = 0;
        const run = await sut.expectOf(test, {
          fault: 'worker stopped past its ack_wait, replaced, woken up',
          of: of === 'table' ? 'table' : 'sequence',
          strike: async (disturbed, schedule) => {
            await disturbed.trained(schedule.step(steps));
            paused = (await disturbed.position())?.worker ?? '';
            refusedBefore = await refusals(paused);
            // Its training process goes on: there is something to write when it wakes up.
            const frozen = stack.disturbance.pause(paused, { children: false });
            const before = await disturbed.position();
            await waitFor(
              async () => {
                const now = await disturbed.position();
                return now !== undefined && now.worker !== paused && now.checkpoint !== before?.checkpoint;
              },
              { what: 'another worker to get further', deadlineMs: TAKE_OVER_DEADLINE_MS },
            ).finally(() => frozen.resume());
            await waitFor(async () => (await refusals(paused)) > refusedBefore, {
              what: `${paused} to be refused`,
              deadlineMs: TAKE_OVER_DEADLINE_MS,
            });
          },
        });
        expect(run.attempts).toBe(2);
      });
    }

    it('is trained once although its job is delivered again, to another worker and after its end', async (test) => {
      const js = jetstream(stack.bus);
      let job: Uint8Array = new Uint8Array();
      let subject = '';
      const run = await sut.expectOf(test, {
        fault: 'job delivered twice',
        of: 'sequence',
        strike: async (disturbed, schedule) => {
          await disturbed.trained(schedule.step(sequence.steps));
          subject = jobSubject(trainJob, 'cpu', disturbed.id);
          const message = await stack.manager.streams.getMessage(STREAMS.jobs.name, {
            last_by_subj: subject,
          });
          job = message?.data ?? job;
          await js.publish(subject, job);
        },
      });
      expect(run.attempts).toBe(2);
      await js.publish(subject, job);
      await expectNothingLeft(stack);
      expect(await stack.running.run(run.id)).toEqual(run);
    });

    /** The teacher that scores is frozen until another has gone on with its stream. */
    const teacherReplaced = async (
      test: TestContext,
      fault: string,
      freeze: (teacher: string) => Paused | Promise<Paused>,
    ): Promise<void> => {
      let paused = '';
      const run = await sut.expectOf(test, {
        fault: `teacher stopped ${fault}, replaced, woken up`,
        of: 'sequence',
        strike: async (disturbed, schedule) => {
          await disturbed.trained(schedule.step(sequence.steps));
          paused = (await stack.producers(disturbed.streamKey)).at(-1) ?? '';
          const frozen = await freeze(paused);
          await waitFor(
            async () => (await stack.producers(disturbed.streamKey)).some((name) => name !== paused),
            { what: 'another teacher to score', deadlineMs: TAKE_OVER_DEADLINE_MS },
          ).finally(() => frozen.resume());
        },
      });
      expect(await stack.producers(run.lineage.streamKey ?? '')).toEqual(expect.arrayContaining([paused]));
    };

    it('goes on although its teacher is paused past its lease, replaced by another, and wakes up', (test) =>
      teacherReplaced(test, 'past its lease', (teacher) =>
        stack.disturbance.pause(teacher, { children: false }),
      ));

    it('goes on although its teacher is paused with the stream locked, replaced by another, and wakes up', (test) =>
      teacherReplaced(test, 'with its stream locked', (teacher) =>
        stack.disturbance.pauseHoldingStream(teacher),
      ));
  },
);
