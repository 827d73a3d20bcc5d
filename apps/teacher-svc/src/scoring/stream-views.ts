import type { Split, ViewSpec } from '@fidelis/contracts';
import { createSequenceView, createTableView, InputRoom, loadOthers, type Dataset } from '@fidelis/data';
import type { SampleRows } from './logit-source.js';

/** A view that is scored piece by piece. */
export interface OpenView {
  /** The samples of a step (of a table: a chunk), until those of another are asked for, of this view or another. */
  samples(step: number): SampleRows;
  /** Gathers what is said of a whole split; undefined of a view that is none. */
  readonly whole: WholeSplit | undefined;
  /** Whether no step was scored yet. */
  fresh: boolean;
}

/** The views of the streams in hand: making one takes far longer than a piece of its steps. */
export class StreamViews {
  private readonly views = new Map<string, OpenView>();
  private readonly room = new InputRoom();

  constructor(
    private readonly dataset: Dataset,
    /** Values of one row. */
    private readonly rowLength: number,
  ) {}

  async open(key: string, spec: ViewSpec): Promise<OpenView> {
    const known = this.views.get(key);
    if (known !== undefined) return known;
    const view = await this.create(spec);
    this.views.set(key, view);
    return view;
  }

  forget(key: string): void {
    this.views.delete(key);
  }

  private async create(spec: ViewSpec): Promise<OpenView> {
    if (spec.kind === 'sequence') {
      const view = createSequenceView(this.dataset, spec, await loadOthers(spec));
      return {
        samples: (step) => {
          const { ids, inputs } = view.batch(step, this.room);
          return { split: spec.split, ids, inputs, rows: ids.length };
        },
        whole: undefined,
        fresh: true,
      };
    }
    const view = createTableView(this.dataset, spec);
    return {
      samples: (step) => {
        const { ids, inputs } = view.chunk(step, this.room);
        return { split: spec.split, ids, inputs, rows: ids.length };
      },
      whole: spec.subset === undefined ? new WholeSplit(spec.split, view.rows, this.rowLength) : undefined,
      fresh: true,
    };
  }
}

/** What a table's steps say of its split, if they come one after the other from the first. */
export class WholeSplit {
  private values: Float32Array | undefined;
  private nextStep = 0;
  private filled = 0;

  constructor(
    readonly split: Split,
    readonly rows: number,
    private readonly rowLength: number,
  ) {}

  /** @returns all of it, once, with the last step: [rows][members][classes] */
  add(
    step: number,
    values: Float32Array,
  ): { readonly split: Split; readonly rows: number; readonly values: Float32Array } | undefined {
    if (step !== this.nextStep) return undefined;
    this.nextStep += 1;
    this.values ??= new Float32Array(this.rows * this.rowLength);
    this.values.set(values, this.filled);
    this.filled += values.length;
    if (this.filled < this.values.length) return undefined;
    return { split: this.split, rows: this.rows, values: this.values };
  }
}
