import type { RunPosition, SequenceViewSpec, StreamDetails, TeacherRecord } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { at, completed, streamOf, teacherOf } from '../../fixtures/records.js';
import { findGarbage, type Inventory } from './find-garbage.js';

const digest = (name: string): string => Buffer.from(name).toString('hex').padEnd(64, '0');

function position(changes: Partial<RunPosition> = {}): RunPosition {
  return {
    token: 1,
    worker: 'w',
    attempts: 1,
    trainedStep: 9,
    checkpointStep: 9,
    checkpoint: null,
    result: null,
    ...changes,
  };
}

function details(key: string, changes: Partial<StreamDetails> = {}): StreamDetails {
  return {
    stream: streamOf({ key, state: 'complete' }),
    firstStep: 0,
    storedBytes: 100,
    runs: [],
    createdAt: at(0).toISOString(),
    lastUsedAt: at(0).toISOString(),
    ...changes,
  };
}

const LATER = at(1_000);

describe('garbage', () => {
  const none: Inventory = {
    artifacts: [],
    runs: [],
    teachers: [],
    streams: [],
    positions: new Map(),
    teacherArtifacts: [],
    archives: new Map(),
  };
  const onMnist = { dataset: digest('mnist'), others: null };
  const artifacts = (...names: readonly string[]): Inventory['artifacts'] =>
    names.map((name) => ({ digest: digest(name), bytes: 10, storedAt: at(0) }));
  const digests = (inventory: Partial<Inventory>): string[] =>
    findGarbage({ ...none, ...inventory }, LATER).artifacts.map((artifact) => artifact.digest);

  it('are the artifacts that neither teachers, nor runs, nor trainings refer to', () => {
    const failed = {
      outcome: 'failed',
      error: { code: 'INTERNAL', message: 'x', retryable: false },
    } as const;
    const found = digests({
      artifacts: artifacts('teacher', 'student', 'live', 'failed', 'told', 'orphan'),
      teacherArtifacts: [digest('teacher')],
      runs: [
        { id: 'r-done', state: 'completed', endedAt: at(10), weights: digest('student'), ...onMnist },
        { id: 'r-live', state: 'training', endedAt: null, weights: null, ...onMnist },
        { id: 'r-failed', state: 'failed', endedAt: at(10), weights: null, ...onMnist },
        { id: 'r-told', state: 'training', endedAt: null, weights: null, ...onMnist },
      ],
      positions: new Map([
        ['r-live', position({ checkpoint: digest('live') })],
        ['r-failed', position({ checkpoint: digest('failed'), result: failed })],
        [
          'r-told',
          position({ result: { ...completed, outcome: 'completed', weights: digest('told') } as never }),
        ],
      ]),
    });
    expect(found).toEqual([digest('orphan')]);
  });

  it('are the archives of datasets that neither a run, nor a teacher, nor a stream is of', () => {
    const names = ['of-run', 'of-view', 'of-teacher', 'of-stream', 'of-its-view', 'unused'];
    const view: SequenceViewSpec = {
      kind: 'sequence',
      dataset: { name: 'x', digest: digest('of-stream') },
      split: 'train',
      augmentation: [],
      seed: 0,
      batchSize: 8,
      append: { dataset: { name: 'y', digest: digest('of-its-view') }, split: 'train', size: 10, seed: 0 },
    };
    const teacher = teacherOf();
    const found = digests({
      artifacts: artifacts(...names.map((name) => `archive ${name}`)),
      archives: new Map(names.map((name) => [digest(name), digest(`archive ${name}`)])),
      runs: [
        {
          ...{ id: 'r-ended', state: 'failed', endedAt: at(10), weights: null, dataset: digest('of-run') },
          others: [{ name: 'y', digest: digest('of-view') }],
        },
      ],
      teachers: [
        { ...teacher, spec: { ...teacher.spec, dataset: { name: 't', digest: digest('of-teacher') } } },
      ],
      streams: [details('0123456789abcdef', { stream: streamOf({ view }) })],
    });
    expect(found).toEqual([digest('archive unused')]);
  });

  it('are the checkpoints and positions of trainings that ended well, were cancelled, or that nobody knows', () => {
    const teachers = [
      teacherOf({ id: 't-ready', readyAt: at(10).toISOString() }),
      teacherOf({ id: 't-training', readyAt: null, state: 'training' }),
    ] satisfies TeacherRecord[];
    const ids = ['r-done', 'r-cancelled', 'r-nobody', 't-ready', 't-training', 'r-just-now'];
    const found = findGarbage(
      {
        ...none,
        artifacts: artifacts(...ids),
        teachers,
        runs: [
          { id: 'r-done', state: 'completed', endedAt: at(10), weights: null, ...onMnist },
          { id: 'r-cancelled', state: 'cancelled', endedAt: at(10), weights: null, ...onMnist },
          { id: 'r-just-now', state: 'completed', endedAt: at(2_000), weights: null, ...onMnist },
        ],
        positions: new Map(ids.map((id) => [id, position({ checkpoint: digest(id) })])),
      },
      LATER,
    );
    expect(found.positions).toEqual(['r-done', 'r-cancelled', 'r-nobody', 't-ready']);
    expect(found.artifacts.map((artifact) => artifact.digest)).toEqual(found.positions.map(digest));
  });

  it('is nothing that came just now: its record may be on the way', () => {
    const young = artifacts('young').map((artifact) => ({ ...artifact, storedAt: at(2_000) }));
    expect(digests({ artifacts: young })).toEqual([]);
  });

  it('are the streams that no run reads, unless they are at work or were used just now', () => {
    const reader = { runId: 'r-1', steps: 59, trainedStep: null, checkpointStep: null };
    const { streams } = findGarbage(
      {
        ...none,
        streams: [
          details('00000000000000aa'),
          details('00000000000000bb', { runs: [reader] }),
          details('00000000000000cc', { stream: streamOf({ key: '00000000000000cc', state: 'producing' }) }),
          details('00000000000000dd', { lastUsedAt: at(2_000).toISOString() }),
          details('00000000000000ee', {
            stream: streamOf({ key: '00000000000000ee', state: 'expired' }),
            storedBytes: 0,
          }),
        ],
      },
      LATER,
    );
    expect(streams).toEqual([
      { key: '00000000000000aa', bytes: 100 },
      { key: '00000000000000ee', bytes: 0 },
    ]);
  });
});
