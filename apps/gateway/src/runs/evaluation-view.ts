import type { EvaluationRecord, UnboundedFigure } from '@fidelis/contracts';

type Finite<Figures, Name extends keyof Figures> = Omit<Figures, Name> &
  Readonly<Record<Name, number | null>>;

export type FidelityView = Finite<EvaluationRecord['fidelity'], 'predictiveKl' | 'reverseKl'>;
export type GeneralisationView = Finite<EvaluationRecord['student'], 'nll'>;

/** An evaluation as GraphQL can tell it: a Float cannot be infinite, so that such a figure is null and named. */
export type EvaluationView = Omit<EvaluationRecord, 'fidelity' | 'teacher' | 'student'> & {
  readonly fidelity: FidelityView;
  readonly teacher: GeneralisationView;
  readonly student: GeneralisationView;
  /** Paths of the figures that are infinite, like `student.nll`. */
  readonly infinite: readonly string[];
};

export function evaluationView({ fidelity, teacher, student, ...rest }: EvaluationRecord): EvaluationView {
  const unbounded = {
    'fidelity.predictiveKl': fidelity.predictiveKl,
    'fidelity.reverseKl': fidelity.reverseKl,
    'teacher.nll': teacher.nll,
    'student.nll': student.nll,
  };
  return {
    ...rest,
    fidelity: {
      ...fidelity,
      predictiveKl: finite(fidelity.predictiveKl),
      reverseKl: finite(fidelity.reverseKl),
    },
    teacher: { ...teacher, nll: finite(teacher.nll) },
    student: { ...student, nll: finite(student.nll) },
    infinite: Object.entries(unbounded)
      .filter(([, figure]) => figure === 'Infinity')
      .map(([path]) => path),
  };
}

function finite(figure: UnboundedFigure): number | null {
  return figure === 'Infinity' ? null : figure;
}
