import { FidelisError, type StageName, type TrainingResult } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  at,
  completed,
  evaluationOf,
  progressOf,
  runOf,
  specOf,
  streamOf,
  teacherDigest,
  teacherOf,
  weightsDigest,
} from '../../fixtures/records.js';
import type { RunRow } from './run.entity.js';
import * as transitions from './run-transitions.js';

/** One report, as the bus brings it: again, late, or before others. */
type Report = (row: RunRow, now: Date) => boolean;

const fingerprint = { backend: 'tensorflow', backendVersion: '2.21.0', threads: 1, platform: 'linux-x64' };
const wholeStream = streamOf({
  publishedSteps: 59,
  state: 'complete',
  producers: [{ instance: 'teacher-1', fingerprint, steps: 59, at: at(15).toISOString() }],
});

const reports = {
  teacherTraining: (row, now) =>
    transitions.teacherReported(
      row,
      teacherOf({ state: 'training', weightsDigest: null, readyAt: null, progress: { done: 7, total: 21 } }),
      now,
    ),
  teacherReady: (row, now) => transitions.teacherReported(row, teacherOf(), now),
  streamOpened: (row, now) => transitions.streamOpened(row, streamOf(), now),
  streamGrown: (row, now) => transitions.streamReported(row, streamOf({ publishedSteps: 20 }), now),
  streamGrownMore: (row, now) => transitions.streamReported(row, streamOf({ publishedSteps: 40 }), now),
  streamComplete: (row, now) =>
    transitions.streamReported(row, streamOf({ publishedSteps: 59, state: 'complete' }), now),
  started: (row, now) => transitions.trainingStarted(row, 4, now),
  progressed: (row, now) => transitions.trainingProgressed(row, progressOf(4, 100), now),
  progressedMore: (row, now) => transitions.trainingProgressed(row, progressOf(4, 900), now),
  finished: (row, now) => transitions.trainingFinished(row, 4, completed, now),
  settled: (row, now) => transitions.accountSettled(row, wholeStream, now),
  evaluatedMeanwhile: (row, now) => transitions.evaluated(row, evaluationOf('test', false), now),
  evaluatedTest: (row, now) => transitions.evaluated(row, evaluationOf('test'), now),
  evaluatedTrain: (row, now) => transitions.evaluated(row, evaluationOf('train-clean'), now),
} satisfies Record<string, Report>;

type ReportName = keyof typeof reports;
const inOrder = Object.keys(reports) as ReportName[];

function apply(row: RunRow, ...names: readonly ReportName[]): RunRow {
  for (const name of names) reports[name](row, at(20));
  return row;
}

function upTo(last: ReportName): RunRow {
  return apply(runOf(), ...inOrder.slice(0, inOrder.indexOf(last) + 1));
}

function stageOf(row: RunRow, name: StageName): RunRow['stages'][number] {
  const stage = row.stages.find((candidate) => candidate.name === name);
  if (stage === undefined) throw new Error(`no stage ${name}`);
  return stage;
}

const failedResult: TrainingResult = {
  outcome: 'failed',
  error: { code: 'TRAINING.DIVERGED', message: 'the loss is NaN', retryable: false },
};

describe('a run', () => {
  it('goes from preparing to completed with its reports', () => {
    const row = runOf();
    const states = inOrder.map((name) => apply(row, name).state);
    expect(states).toEqual([
      ...['preparing', 'preparing', 'queued', 'queued', 'queued', 'queued'],
      ...['training', 'training', 'training', 'evaluating', 'evaluating', 'evaluating', 'evaluating'],
      'completed',
    ]);
    expect(row).toMatchObject({
      teacherId: 't-0123456789ab',
      streamKey: '0123456789abcdef',
      attempts: 1,
      frames: { published: 59, consumed: 59, trained: 59, closed: true },
      lineage: { teacherProducer: fingerprint, teacherDigest, weightsDigest, streamKey: '0123456789abcdef' },
      progress: { step: 1_407, steps: 1_407, epoch: 3, epochs: 3, loss: 0.25, waitSeconds: 1.5 },
      error: null,
      startedAt: at(20),
      endedAt: at(20),
    });
    expect(row.stages.map(({ name, state, done, total }) => [name, state, done, total])).toEqual([
      ['teacher', 'done', 21, 21],
      ['stream', 'done', 60_000, 60_000],
      ['student', 'done', 1_407, 1_407],
      ['evaluation', 'done', 2, 2],
    ]);
  });

  it.each(inOrder)('is not changed by "%s" when it comes again', (name) => {
    const row = upTo(name);
    const before = structuredClone(row);
    reports[name](row, at(99));
    expect(row).toEqual(before);
  });

  it.each(inOrder.filter((name) => name !== 'progressed' && name !== 'progressedMore'))(
    'shows nothing new when "%s" comes again',
    (name) => {
      expect(reports[name](upTo(name), at(99))).toBe(false);
    },
  );

  it('comes to the same whatever the order in which the reports of its training come, and however often', () => {
    const opened = inOrder.slice(0, inOrder.indexOf('streamOpened') + 1);
    const rest = inOrder.slice(opened.length);
    const once = apply(runOf(), ...inOrder);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...rest, ...rest, ...rest], {
          minLength: rest.length * 3,
          maxLength: rest.length * 3,
        }),
        (order) => {
          // Whoever looks at an evaluating run settles its account.
          const row = apply(runOf(), ...opened, ...order, 'settled');
          // The rate of the last progress report is what was heard last: nobody's result.
          const facts = ({ progress: { learningRate: _, ...progress }, ...others }: RunRow): unknown => ({
            ...others,
            progress,
            plan: { ...others.plan, evaluatedSets: [...others.plan.evaluatedSets].sort() },
            stages: others.stages.map(({ name, state, done, total, reused }) => ({
              name,
              state,
              done,
              total,
              reused,
            })),
          });
          expect(facts(row)).toEqual(facts(once));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never goes back to an earlier state, whatever comes', () => {
    const ranks: RunRow['state'][] = ['preparing', 'queued', 'training', 'evaluating', 'completed'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inOrder), { maxLength: 40 }), (order) => {
        const row = runOf();
        let rank = 0;
        for (const name of order) {
          apply(row, name);
          expect(ranks.indexOf(row.state)).toBeGreaterThanOrEqual(rank);
          rank = ranks.indexOf(row.state);
        }
      }),
    );
  });

  it.each([
    ['completed', (row: RunRow) => apply(row, ...inOrder)],
    [
      'failed',
      (row: RunRow) => {
        transitions.failed(apply(row, 'streamOpened', 'started'), new FidelisError('INTERNAL', 'x'), at(30));
        return row;
      },
    ],
    [
      'cancelled',
      (row: RunRow) => {
        transitions.cancelled(apply(row, 'streamOpened', 'started'), at(30));
        return row;
      },
    ],
  ])('that is %s never changes again', (state, end) => {
    const row = end(runOf());
    expect(row.state).toBe(state);
    const before = structuredClone(row);
    const all: Report[] = [
      ...Object.values(reports),
      (current, now) => transitions.trainingStarted(current, 9, now),
      (current, now) => transitions.trainingFinished(current, 9, completed, now),
      (current, now) => transitions.trainingFinished(current, 9, failedResult, now),
      (current, now) => transitions.failed(current, new FidelisError('INTERNAL', 'y'), now),
      (current, now) => transitions.cancelled(current, now),
    ];
    for (const report of all) expect(report(row, at(99))).toBe(false);
    expect(row).toEqual(before);
  });
});

describe('a run that failed', () => {
  it('goes on from its training when it is taken up again, and comes to its end', () => {
    const row = upTo('progressed');
    transitions.trainingFinished(row, 4, failedResult, at(20));
    expect(row.state).toBe('failed');
    row.released = true;
    expect(transitions.revived(row)).toBe(true);
    expect(row).toMatchObject({ state: 'preparing', error: null, endedAt: null, released: false });
    expect(stageOf(row, 'student').state).toBe('running');
    apply(row, 'teacherReady', 'streamOpened', 'streamComplete');
    expect(row.state).toBe('queued');
    transitions.trainingStarted(row, 9, at(40));
    transitions.trainingFinished(row, 9, completed, at(50));
    apply(row, 'settled', 'evaluatedTest', 'evaluatedTrain');
    expect(row).toMatchObject({ state: 'completed', attempts: 2 });
  });

  it('goes on with its evaluation where its student is trained', () => {
    const row = apply(upTo('settled'), 'evaluatedTest');
    transitions.failed(row, new FidelisError('INTERNAL', 'the predictions could not be scored'), at(30));
    transitions.revived(row);
    expect(row.state).toBe('evaluating');
    apply(row, 'evaluatedTrain');
    expect(row.state).toBe('completed');
  });

  it.each(['completed', 'cancelled', 'training'] as const)('is not one that is %s', (state) => {
    const row = { ...upTo('started'), state };
    expect(transitions.revived(row)).toBe(false);
  });
});

describe('the account', () => {
  type Completed = Extract<TrainingResult, { outcome: 'completed' }>;
  const done = (changes: Partial<Completed>): RunRow => {
    const row = upTo('progressedMore');
    transitions.trainingFinished(row, 4, { ...(completed as Completed), ...changes }, at(20));
    return row;
  };

  it.each([
    ['the teacher stored fewer', {}, { publishedSteps: 58 }, { published: 58, consumed: 59, trained: 59 }],
    ['the student took in fewer', { framesConsumed: 58 }, {}, { published: 59, consumed: 58, trained: 59 }],
    ['it trained on fewer', { framesTrained: 58 }, {}, { published: 59, consumed: 59, trained: 58 }],
  ])('does not close where %s', (_, result, stream, counts) => {
    const row = done(result);
    expect(transitions.accountSettled(row, { ...wholeStream, ...stream }, at(21))).toBe(true);
    expect(row.frames).toEqual({ ...counts, closed: false });
    apply(row, 'evaluatedTest', 'evaluatedTrain');
    expect(row.state).toBe('completed');
  });

  it("waits for the teacher's count while the stream grows, and the run with it", () => {
    const row = apply(done({}), 'evaluatedTest', 'evaluatedTrain');
    const growing = streamOf({ state: 'producing', publishedSteps: 58 });
    expect(transitions.accountSettled(row, growing, at(21))).toBe(false);
    expect(row).toMatchObject({ state: 'evaluating', frames: { closed: null } });
    expect(transitions.accountSettled(row, wholeStream, at(22))).toBe(true);
    expect(row).toMatchObject({ state: 'completed', frames: { closed: true }, endedAt: at(22) });
  });

  it('closes for a run of a stream that another run has extended', () => {
    const row = done({});
    const longer = streamOf({ steps: 118, state: 'producing', publishedSteps: 60 });
    transitions.accountSettled(row, longer, at(21));
    expect(row.frames).toEqual({ published: 59, consumed: 59, trained: 59, closed: true });
  });

  it('closes where the student learned from labels alone, however many frames it saw', () => {
    const row = done({ framesNeeded: 0, framesConsumed: 3, framesTrained: 0 });
    transitions.accountSettled(row, streamOf({ state: 'producing', publishedSteps: 12 }), at(21));
    expect(row.frames.closed).toBe(true);
  });

  it('is not kept of a training by a worker of before', () => {
    const { framesNeeded: _, ...before } = completed as Completed;
    const row = upTo('progressedMore');
    transitions.trainingFinished(row, 4, before, at(20));
    apply(row, 'settled', 'evaluatedTest', 'evaluatedTrain');
    expect(row).toMatchObject({ state: 'completed', frames: { closed: null } });
  });
});

describe('the teacher', () => {
  it('keeps its digest when word of its training comes late', () => {
    const row = apply(runOf(), 'teacherReady', 'teacherTraining', 'streamOpened');
    expect(row.lineage.teacherDigest).toBe(teacherDigest);
  });

  it('that was ready before the run is used again, without cost', () => {
    const row = runOf();
    transitions.teacherReported(row, teacherOf({ readyAt: at(-60).toISOString() }), at(1));
    expect(stageOf(row, 'teacher')).toMatchObject({ state: 'done', reused: true, seconds: 0 });
  });

  it('that failed fails the run with its reason', () => {
    const row = runOf();
    const error = { code: 'TRAINING.DIVERGED', message: 'the loss is NaN', retryable: false } as const;
    expect(transitions.teacherReported(row, teacherOf({ state: 'failed', error }), at(5))).toBe(true);
    expect(row).toMatchObject({
      state: 'failed',
      endedAt: at(5),
      error: { code: 'TEACHER.FAILED', message: expect.stringContaining('the loss is NaN') as unknown },
    });
  });
});

describe('the stream', () => {
  it('that is there already is used again', () => {
    const row = apply(runOf(), 'teacherReady');
    transitions.streamOpened(row, streamOf({ publishedSteps: 59, state: 'complete' }), at(12));
    expect(stageOf(row, 'stream')).toMatchObject({ state: 'done', reused: true, seconds: 0, done: 60_000 });
    expect(row.frames.published).toBe(59);
  });

  it('counts for this run only as far as the run reads it', () => {
    const row = upTo('streamOpened');
    transitions.streamReported(row, streamOf({ steps: 118, publishedSteps: 100 }), at(15));
    expect(row.frames.published).toBe(59);
    expect(stageOf(row, 'stream').state).toBe('done');
  });

  it('never shrinks in what people see', () => {
    const row = upTo('streamGrownMore');
    const { done } = stageOf(row, 'stream');
    expect(reports.streamGrown(row, at(21))).toBe(false);
    expect(stageOf(row, 'stream').done).toBe(done);
    expect(row.frames.published).toBe(40);
  });

  it('that failed fails the run with its error', () => {
    const row = upTo('streamOpened');
    const error = { code: 'STREAM.QUOTA', message: 'no room', retryable: true } as const;
    transitions.streamReported(row, streamOf({ state: 'failed', error }), at(15));
    expect(row).toMatchObject({ state: 'failed', error: { code: 'STREAM.QUOTA' } });
    expect(stageOf(row, 'stream').state).toBe('failed');
  });
});

describe('the training', () => {
  it('is counted again for a new owner, whose reports are then the only ones that count', () => {
    const row = upTo('progressed');
    expect(transitions.trainingStarted(row, 6, at(30))).toBe(true);
    expect(row.attempts).toBe(2);
    const before = structuredClone(row);
    for (const older of [
      () => transitions.trainingStarted(row, 5, at(31)),
      () => transitions.trainingProgressed(row, progressOf(4, 700), at(31)),
      () => transitions.trainingFinished(row, 5, completed, at(31)),
      () => transitions.trainingFinished(row, 4, failedResult, at(31)),
    ]) {
      expect(older()).toBe(false);
    }
    expect(row).toEqual(before);
    expect(transitions.trainingProgressed(row, progressOf(6, 50), at(32))).toBe(true);
    expect(row.progress.step).toBe(50);
    expect(row.startedAt).toEqual(at(20));
  });

  it('does not go back within an attempt', () => {
    const row = upTo('progressedMore');
    expect(reports.progressed(row, at(31))).toBe(false);
    expect(row.progress.step).toBe(900);
  });

  it('that is finished is not started again by a late word', () => {
    const row = upTo('finished');
    expect(transitions.trainingStarted(row, 9, at(31))).toBe(false);
    expect(row.state).toBe('evaluating');
  });

  it('counts as an attempt though word of its start comes after its result', () => {
    const row = upTo('streamComplete');
    apply(row, 'finished', 'started');
    expect(row).toMatchObject({ state: 'evaluating', attempts: 1 });
  });

  it('that failed fails the run, and its running stages', () => {
    const row = upTo('progressed');
    expect(transitions.trainingFinished(row, 4, failedResult, at(33))).toBe(true);
    expect(row).toMatchObject({ state: 'failed', error: { code: 'TRAINING.DIVERGED' }, endedAt: at(33) });
    expect(stageOf(row, 'student').state).toBe('failed');
    expect(stageOf(row, 'evaluation').state).toBe('waiting');
  });

  it('that was cancelled cancels the run', () => {
    const row = upTo('progressed');
    transitions.trainingFinished(row, 4, { outcome: 'cancelled' }, at(33));
    expect(row).toMatchObject({ state: 'cancelled', error: null, endedAt: at(33) });
  });
});

describe('how the student was trained', () => {
  it('is known from its end on, and not of results of before', () => {
    expect(upTo('progressedMore').lineage.execution).toBeNull();
    expect(upTo('finished').lineage.execution).toEqual({ mode: 'graph', reason: null });
    const { execution: _, ...before } = completed as Extract<TrainingResult, { outcome: 'completed' }>;
    const row = upTo('progressedMore');
    transitions.trainingFinished(row, 4, before, at(30));
    expect(row.lineage).toMatchObject({ weightsDigest, execution: null });
  });
});

describe('the evaluations', () => {
  it('may come before the word that the student is finished', () => {
    const row = upTo('started');
    apply(row, 'evaluatedTest', 'evaluatedTrain');
    expect(row.state).toBe('training');
    apply(row, 'finished', 'settled');
    expect(row.state).toBe('completed');
    expect(stageOf(row, 'evaluation')).toMatchObject({ state: 'done', done: 2, total: 2 });
  });

  it('during the training complete nothing', () => {
    const row = upTo('finished');
    expect(transitions.evaluated(row, evaluationOf('test', false), at(40))).toBe(false);
    expect(row.plan.evaluatedSets).toEqual([]);
  });

  it('are waited for only on the sets of the spec', () => {
    const row = runOf(specOf({ evaluation: { sets: ['test'] } }));
    apply(row, 'teacherReady', 'streamOpened', 'started', 'finished', 'settled', 'evaluatedTest');
    expect(row.state).toBe('completed');
  });
});
