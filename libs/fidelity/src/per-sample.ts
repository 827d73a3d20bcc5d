import { assertNotEmpty, assertSameSettings, refuse, type Accumulator } from './accumulator.js';
import { assertLabelled, type AgreementSettings } from './agreement-accumulator.js';
import { InputShape, type PairBatch, type VisitPair } from './batch.js';
import { Column, type StoredNumber } from './column.js';

/** One value per sample, in the order in which they were added; each metric is the mean of its column. */
export interface SampleStatistics {
  readonly n: number;
  /** 1 where teacher and student predict the same class. */
  readonly agree: Uint8Array;
  /** 1 where the teacher's class is among the student's k most probable ones: k is `topK`, 5 if not set otherwise. */
  readonly agreeTop5: Uint8Array;
  /** The classes that they predict. */
  readonly predictedTeacher: Uint32Array;
  readonly predictedStudent: Uint32Array;
  /** KL(p_t ‖ p_s), nats. */
  readonly kl: Float64Array;
  readonly reverseKl: Float64Array;
  readonly jensenShannon: Float64Array;
  readonly totalVariation: Float64Array;
  readonly confidenceTeacher: Float64Array;
  readonly confidenceStudent: Float64Array;
  /** Absent without labels. */
  readonly labelled?: {
    readonly correctTeacher: Uint8Array;
    readonly correctStudent: Uint8Array;
    readonly nllTeacher: Float64Array;
    readonly nllStudent: Float64Array;
    readonly brierTeacher: Float64Array;
    readonly brierStudent: Float64Array;
  };
}

const COLUMNS = [
  'agree',
  'agreeTop5',
  'predictedTeacher',
  'predictedStudent',
  'kl',
  'reverseKl',
  'jensenShannon',
  'totalVariation',
  'confidenceTeacher',
  'confidenceStudent',
  'correctTeacher',
  'correctStudent',
  'nllTeacher',
  'nllStudent',
  'brierTeacher',
  'brierStudent',
] as const;

type ColumnName = (typeof COLUMNS)[number];

export interface PerSampleState extends Required<AgreementSettings> {
  /** Those of the labels are empty without labels. */
  readonly columns: Readonly<Record<ColumnName, readonly StoredNumber[]>>;
}

/** Per-sample values for bootstrap intervals and paired tests. Memory O(samples): 16 float64 a row, 10 without labels. */
export class PerSample implements Accumulator<PairBatch, PerSampleState, SampleStatistics> {
  private readonly shape: InputShape;
  private readonly labels: boolean;
  private readonly topK: number;
  private readonly columns = new Map(COLUMNS.map((name) => [name, new Column()]));

  /** @throws FidelisError REQUEST.INVALID for settings out of range */
  constructor(settings: AgreementSettings) {
    this.shape = new InputShape(settings);
    this.topK = settings.topK ?? 5;
    this.labels = settings.labels;
  }

  get n(): number {
    return this.column('agree').length;
  }

  /** @throws FidelisError REQUEST.INVALID as `EvaluationEngine.add` */
  add(batch: PairBatch): void {
    assertLabelled(batch, this.labels);
    this.shape.visitPairs(batch, this.addRow);
  }

  /** One sample that is scored already. */
  readonly addRow: VisitPair = (teacher, student, label, divergences) => {
    const { forward, reverse, jensenShannon, totalVariation } = divergences();
    this.push('agree', Number(teacher.predicted === student.predicted));
    this.push('agreeTop5', Number(student.isInTop(teacher.predicted, this.topK)));
    this.push('predictedTeacher', teacher.predicted);
    this.push('predictedStudent', student.predicted);
    this.push('kl', forward);
    this.push('reverseKl', reverse);
    this.push('jensenShannon', jensenShannon);
    this.push('totalVariation', totalVariation);
    this.push('confidenceTeacher', teacher.confidence);
    this.push('confidenceStudent', student.confidence);
    if (!this.labels) return;
    this.push('correctTeacher', Number(teacher.predicted === label));
    this.push('correctStudent', Number(student.predicted === label));
    this.push('nllTeacher', 0 - (teacher.logProbabilities[label] ?? NaN));
    this.push('nllStudent', 0 - (student.logProbabilities[label] ?? NaN));
    this.push('brierTeacher', teacher.squaredDistance(label));
    this.push('brierStudent', student.squaredDistance(label));
  };

  /** Appends the samples of another one. @throws FidelisError REQUEST.INVALID if the settings differ */
  merge(other: PerSample): void {
    assertSameSettings(this.settings(), other.settings());
    for (const name of COLUMNS) this.columns.get(name)?.append(other.column(name));
  }

  toJSON(): PerSampleState {
    const columns = COLUMNS.map((name) => [name, this.column(name).toJSON()]);
    return {
      ...this.settings(),
      columns: Object.fromEntries(columns) as PerSampleState['columns'],
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: PerSampleState): PerSample {
    const restored = new PerSample(state);
    for (const name of COLUMNS) restored.columns.set(name, Column.fromJSON(state.columns[name]));
    const lengths = new Set(
      [...restored.columns.values()].map(({ length }) => length).filter((length) => length > 0),
    );
    if (lengths.size > 1) refuse('the saved samples are damaged: their columns differ in length');
    return restored;
  }

  /** Columns that are not to be changed; they are valid until more is added. */
  result(): SampleStatistics {
    assertNotEmpty(this.n);
    const values = (name: ColumnName): Float64Array => this.column(name).view();
    return {
      n: this.n,
      agree: Uint8Array.from(values('agree')),
      agreeTop5: Uint8Array.from(values('agreeTop5')),
      predictedTeacher: Uint32Array.from(values('predictedTeacher')),
      predictedStudent: Uint32Array.from(values('predictedStudent')),
      kl: values('kl'),
      reverseKl: values('reverseKl'),
      jensenShannon: values('jensenShannon'),
      totalVariation: values('totalVariation'),
      confidenceTeacher: values('confidenceTeacher'),
      confidenceStudent: values('confidenceStudent'),
      ...(this.labels
        ? {
            labelled: {
              correctTeacher: Uint8Array.from(values('correctTeacher')),
              correctStudent: Uint8Array.from(values('correctStudent')),
              nllTeacher: values('nllTeacher'),
              nllStudent: values('nllStudent'),
              brierTeacher: values('brierTeacher'),
              brierStudent: values('brierStudent'),
            },
          }
        : {}),
    };
  }

  private settings(): Required<AgreementSettings> {
    return { ...this.shape.settings(), labels: this.labels, topK: this.topK };
  }

  private push(name: ColumnName, value: number): void {
    this.column(name).push(value);
  }

  private column(name: ColumnName): Column {
    return this.columns.get(name) ?? new Column();
  }
}
