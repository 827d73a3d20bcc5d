import {
  CohortPass,
  EvaluationEngine,
  FullPass,
  PerSample,
  type BinConvention,
  type EngineResult,
  type FullPassResult,
  type InputKind,
  type RowTaker,
  type SampleStatistics,
} from '@fidelis/fidelity';
import type { Inputs } from './open-inputs.js';
import { inFileTerms, readBatches } from './read-batches.js';

export interface ScoreSettings {
  readonly kind: InputKind;
  readonly bins: number;
  readonly convention: BinConvention;
  /** Streaming metrics only. */
  readonly fast: boolean;
  /** Whether intervals or paired tests need the values of each sample. */
  readonly perSample: boolean;
}

export interface StudentScores {
  readonly name: string;
  readonly result: EngineResult;
  /** Absent if only streaming metrics were asked for; the teacher's part is with the first student. */
  readonly full?: FullPassResult;
  /** Absent if not asked for. */
  readonly samples?: SampleStatistics;
}

interface Scorer {
  readonly name: string;
  readonly index: number;
  readonly engine: EvaluationEngine;
  readonly full: FullPass | undefined;
  readonly samples: PerSample | undefined;
}

/**
 * Scores every student against the teacher, whose rows are scored once for all of them. One pass over the files is enough for the streaming metrics; the temperatures take some more.
 *
 * @throws FidelisError REQUEST.INVALID for a value that is none, with its file, row and column; the signal's reason if it is aborted
 */
export async function scoreInputs(
  inputs: Inputs,
  { kind, bins, convention, fast, perSample }: ScoreSettings,
  signal: AbortSignal,
): Promise<StudentScores[]> {
  const settings = { classes: inputs.classes, kind, bins, convention, labels: inputs.labels !== undefined };
  const scorers = inputs.students.map(({ name }, index): Scorer => ({
    name,
    index,
    engine: new EvaluationEngine(settings),
    // The teacher's figures are the same for every student.
    full: fast ? undefined : new FullPass({ ...settings, teacher: index === 0 }),
    samples: perSample ? new PerSample(settings) : undefined,
  }));
  let pending = scorers;
  for (let pass = 1; pending.length > 0; pass++) {
    const students = pending.map(({ index }) => index);
    const takers = pending.map(({ engine, full, samples }): RowTaker[] =>
      [full, ...(pass === 1 ? [engine, samples] : [])].filter((taker) => taker !== undefined),
    );
    const scored = new CohortPass(settings, takers);
    for await (const { firstRow, batch } of readBatches(inputs, students)) {
      signal.throwIfAborted();
      inFileTerms({ inputs, kind, students, firstRow }, () => scored.add(batch));
    }
    pending = pending.filter(({ full }) => full?.endPass() === true);
  }
  return scorers.map(({ name, engine, full, samples }) => ({
    name,
    result: engine.result(),
    ...(full === undefined ? {} : { full: full.result() }),
    ...(samples === undefined ? {} : { samples: samples.result() }),
  }));
}
