import {
  EvaluationEngine,
  FullPass,
  PerSample,
  type BinConvention,
  type EngineResult,
  type FullPassResult,
  type InputKind,
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
  /** Absent if only streaming metrics were asked for. */
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
 * Scores every student against the teacher. One pass over the files is enough for the streaming metrics; the temperatures take some more.
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
    full: fast ? undefined : new FullPass(settings),
    samples: perSample ? new PerSample(settings) : undefined,
  }));
  let pending = scorers;
  for (let pass = 1; pending.length > 0; pass++) {
    for await (const { firstRow, batches } of readBatches(
      inputs,
      pending.map(({ index }) => index),
    )) {
      signal.throwIfAborted();
      pending.forEach(({ index, engine, full, samples }, position) => {
        const batch = batches[position];
        if (batch === undefined) return;
        inFileTerms({ inputs, kind, student: index, firstRow }, () => {
          if (pass === 1) engine.add(batch);
          if (pass === 1) samples?.add(batch);
          full?.add(batch);
        });
      });
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
