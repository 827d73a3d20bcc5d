import { FidelisError } from '@fidelis/contracts';
import { permutation } from './permutation.js';
import type { SampleSource } from './view-samples.js';

/** Which of the images made beforehand each step takes: all of them once, in a new order each time round. */
export class SyntheticDraw {
  private current: { readonly round: number; readonly order: Uint32Array } | undefined;

  /** @throws FidelisError SPEC.INVALID if there are no images to take */
  constructor(
    private readonly perStep: number,
    private readonly seed: number,
    private readonly source: Pick<SampleSource, 'firstId'> & { readonly split: { readonly size: number } },
  ) {
    if (perStep > 0 && source.split.size === 0) {
      throw new FidelisError('SPEC.INVALID', 'synthetic.dataset: this split of it has no images');
    }
  }

  static none(): SyntheticDraw {
    return new SyntheticDraw(0, 0, { firstId: 0, split: { size: 0 } });
  }

  /** The step's own ids with those of its synthetic images after them. */
  after(own: Uint32Array, step: number): Uint32Array {
    if (this.perStep === 0) return own;
    const { firstId, split } = this.source;
    const ids = new Uint32Array(own.length + this.perStep);
    ids.set(own);
    for (let index = 0; index < this.perStep; index++) {
      const position = step * this.perStep + index;
      const order = this.orderOf(Math.floor(position / split.size));
      ids[own.length + index] = firstId + (order[position % split.size] ?? 0);
    }
    return ids;
  }

  private orderOf(round: number): Uint32Array {
    if (this.current?.round !== round) {
      this.current = { round, order: permutation(this.seed, round, this.source.split.size, 'synthetic') };
    }
    return this.current.order;
  }
}
