import {
  canonicalJson,
  evaluationSets,
  FidelisError,
  sha256Hex,
  type EvaluationRecord,
  type EvaluationSet,
  type Execution,
  type ProducerFingerprint,
  type StageName,
  type UnboundedFigure,
} from '@fidelis/contracts';
import type { RunDetails } from '../gateway/documents.js';

export interface Generalisation {
  readonly accuracy: number;
  /** nats; null if infinite */
  readonly nll: UnboundedFigure;
  readonly ece: number;
}

export interface Fidelity {
  readonly top1Agreement: number;
  /** nats; null if infinite */
  readonly predictiveKl: UnboundedFigure;
}

export interface SetFigures {
  readonly n: number;
  readonly teacher: Generalisation;
  readonly student: Generalisation;
  readonly fidelity: Fidelity;
}

/** By stage of the run; `stack` and `total` only where the same command started the stack. */
export type StageSeconds = Readonly<Partial<Record<StageName | 'stack' | 'total', number>>>;

/** What `demo` and `run` print with --json, for a run that completed. */
export interface RunDocument extends SetFigures {
  /** The figures at the top level are for this set. */
  readonly set: EvaluationSet;
  readonly sets: Readonly<Partial<Record<EvaluationSet, SetFigures>>>;
  /** Bins of the ECE, and whose convention it follows. */
  readonly bins: number;
  readonly convention: string;
  readonly dataset: string;
  readonly seed: number;
  readonly epochs: number;
  readonly backend: string;
  readonly producer: ProducerFingerprint;
  readonly frames: RunDetails['frames'];
  readonly lineage: {
    readonly datasetDigest: string;
    readonly teacherId: string | null;
    readonly teacherDigest: string | null;
    readonly streamKey: string | null;
    readonly weightsDigest: string | null;
  };
  /** sha-256 over all of the above: equal for two runs of the same spec, seed, backend and thread count. */
  readonly figuresDigest: string;
  /** What differs from run to run. */
  readonly run: string;
  readonly name: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly attempts: number;
  readonly seconds: StageSeconds;
  readonly studentWaitSeconds: number;
  /** How the student's steps ran; null for a run of before. */
  readonly execution: Execution | null;
}

/**
 * The document of a run that completed.
 *
 * @param more seconds that the run's record does not have
 * @throws FidelisError INTERNAL if the record lacks an evaluation or its producer
 */
export function runDocument(run: RunDetails, more: StageSeconds = {}): RunDocument {
  const finals = evaluationSets
    .map((set) => run.evaluations.find((evaluation) => evaluation.set === set && evaluation.final))
    .filter((evaluation) => evaluation !== undefined);
  const main = finals[0];
  const { producer } = run.lineage;
  if (main === undefined || producer === null) {
    throw new FidelisError(
      'INTERNAL',
      `run ${run.id} is completed, yet it has no ${main === undefined ? 'evaluation' : 'producer'}; see \`fidelis show ${run.id}\``,
    );
  }
  const figures = {
    set: main.set,
    ...figuresOf(main),
    sets: Object.fromEntries(finals.map((evaluation) => [evaluation.set, figuresOf(evaluation)])),
    bins: main.bins,
    convention: main.convention,
    dataset: run.lineage.dataset.name,
    seed: run.spec.seed,
    epochs: run.spec.student.epochs,
    backend: producer.backend,
    producer,
    frames: run.frames,
    lineage: {
      datasetDigest: run.lineage.dataset.digest,
      teacherId: run.lineage.teacherId,
      teacherDigest: run.lineage.teacherDigest,
      streamKey: run.lineage.streamKey,
      weightsDigest: run.lineage.weightsDigest,
    },
  };
  return {
    ...figures,
    figuresDigest: sha256Hex(canonicalJson(figures)),
    run: run.id,
    name: run.name,
    startedAt: run.startedAt ?? run.createdAt,
    endedAt: run.endedAt,
    attempts: run.attempts,
    seconds: { ...stageSeconds(run), ...more },
    studentWaitSeconds: run.progress.waitSeconds,
    execution: run.lineage.execution,
  };
}

function figuresOf({ n, teacher, student, fidelity }: EvaluationRecord): SetFigures {
  const { top1Agreement, predictiveKl } = fidelity;
  return {
    n,
    teacher: generalisationOf(teacher),
    student: generalisationOf(student),
    fidelity: { top1Agreement, predictiveKl },
  };
}

function generalisationOf({ accuracy, nll, ece }: EvaluationRecord['student']): Generalisation {
  return { accuracy, nll, ece };
}

function stageSeconds(run: RunDetails): StageSeconds {
  return Object.fromEntries(run.stages.map(({ name, seconds }) => [name, seconds ?? 0]));
}
