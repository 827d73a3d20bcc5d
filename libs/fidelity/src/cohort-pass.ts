import { assertLabelled } from './agreement-accumulator.js';
import { InputShape, type CohortBatch, type InputSettings, type VisitPair } from './batch.js';

/** What takes samples that are scored already: `EvaluationEngine`, `FullPass`, `PerSample`. */
export interface RowTaker {
  readonly addRow: VisitPair;
}

/**
 * One scored pass for all that is to be known of the students of one teacher: each row is checked and scored once, the teacher's for all
 * students, and its divergences are computed once. What the takers have afterwards is what their own `add` would have given them.
 */
export class CohortPass {
  private readonly shape: InputShape;
  private readonly labels: boolean;

  /**
   * @param takers of each student in the order of the batches' students, all with these settings
   * @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind
   */
  constructor(
    settings: InputSettings & { readonly labels: boolean },
    private readonly takers: readonly (readonly RowTaker[])[],
  ) {
    this.shape = new InputShape(settings);
    this.labels = settings.labels;
  }

  /** @throws FidelisError REQUEST.INVALID, and nothing is added, as `EvaluationEngine.add`; of several students it says which */
  add(batch: CohortBatch): void {
    assertLabelled(batch, this.labels);
    this.shape.visitCohort(batch, (student) => {
      const takers = this.takers[student] ?? [];
      return (...row) => {
        for (const taker of takers) taker.addRow(...row);
      };
    });
  }
}
