import { describe, expect, it } from 'vitest';
import type { RunView } from '../gateway/documents.js';
import { NO_SPEED, stageText } from '../render/stage-view.js';
import { sampleRun, withoutEvaluations } from '../testing/fake-gateway.js';
import { runStages } from './run-stages.js';

type StageState = RunView['stages'][number]['state'];

/** The run with its stages in these states: teacher, stream, student, evaluation. */
function runWith(states: readonly StageState[], changes: Partial<RunView> = {}): RunView {
  const run = withoutEvaluations(sampleRun());
  const stages = run.stages.map((stage, index) => ({ ...stage, state: states[index] ?? 'waiting' }));
  return { ...run, state: 'training', stages, ...changes };
}

const waits = (run: RunView): (string | undefined)[] => runStages(run).map(({ waitsFor }) => waitsFor);

describe('runStages', () => {
  it('names who has to act, and nobody where another stage comes first', () => {
    expect(waits(runWith(['running']))).toEqual(["the teacher's worker", undefined, undefined, undefined]);
    expect(waits(runWith(['done', 'done'], { state: 'queued' }))[2]).toBe('a free worker');
    expect(waits(runWith(['done', 'running', 'running']))[2]).toBe("the teacher's logits");
    expect(waits(runWith(['done', 'done', 'running']))[2]).toBe('its worker');
    expect(waits(runWith(['done', 'done', 'done', 'running']))[3]).toContain('metrics');
  });

  it('tells of further attempts, and of the predictions after the last step', () => {
    const run = runWith(['done', 'done', 'running'], { attempts: 2 });
    expect(runStages(run)[2]?.note).toBe('attempt 2 · predicting');
  });

  it('calls a cancelled stage cancelled', () => {
    const run = runWith(['done', 'done', 'failed'], { state: 'cancelled' });
    const [, , student] = runStages(run);
    expect(student === undefined ? '' : stageText(student, NO_SPEED)).toContain('cancelled');
  });
});
