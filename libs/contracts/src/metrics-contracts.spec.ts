import { describe, expect, it } from 'vitest';
import { parseTolerant } from './contract.js';
import {
  DETAIL_LIMITS,
  type ClassFiguresRecord,
  type DisagreementCell,
  type ReliabilityBinRecord,
} from './evaluation-details.js';
import {
  evaluationRecordSchema,
  unboundedFigure,
  unboundedFigureSchema,
  type EvaluationRecord,
} from './evaluation-record.js';
import { EVALUATIONS_PER_ANSWER, metricsRpc } from './metrics-contracts.js';

/** Of one NATS message, unless its server is told otherwise. */
const MESSAGE_BYTES = 1_048_576;
/** As long as a float64 gets as text. */
const LONG = -1.2345678901234567e-100;

const thin = {
  id: 'r-1.test.469',
  runId: 'r-1',
  teacherId: 't-1',
  set: 'test',
  step: 469,
  epoch: 1,
  final: true,
  n: 10_000,
  classes: 10,
  bins: 15,
  convention: 'torchmetrics',
  fidelity: { top1Agreement: 0.97, predictiveKl: 0.04 },
  teacher: { accuracy: 0.9, nll: 0.3, ece: 0.02 },
  student: { accuracy: 0.9, nll: 0.3, ece: 0.02 },
  createdAt: '2026-01-01T00:00:00.000Z',
};

function largest(): EvaluationRecord {
  const binned = {
    ece: LONG,
    mce: LONG,
    rmsce: LONG,
    rmsceDebiased: LONG,
    eceDebiased: LONG,
    nullEce: LONG,
    classwiseEce: LONG,
  };
  const model = {
    ...binned,
    accuracy: LONG,
    top5Accuracy: LONG,
    nll: LONG,
    brier: LONG,
    murphy: { reliability: LONG, resolution: LONG, uncertainty: LONG },
    eceVariants: Array(4).fill({ bins: 15, convention: 'torchmetrics', ece: LONG }),
  };
  return evaluationRecordSchema.parse({
    ...thin,
    id: 'r'.repeat(100),
    runId: 'r'.repeat(100),
    fidelity: {
      top1Agreement: LONG,
      top5Agreement: LONG,
      topK: 5,
      predictiveKl: LONG,
      reverseKl: LONG,
      jensenShannon: LONG,
      totalVariation: LONG,
      cohenKappa: LONG,
      agreementTeacherRight: LONG,
      agreementTeacherWrong: LONG,
      calibration: binned,
    },
    teacher: model,
    student: model,
  });
}

describe('the record of an evaluation', () => {
  it('of a time with fewer figures has null for those it lacks', () => {
    const record = parseTolerant(evaluationRecordSchema, thin);
    expect(record).toMatchObject(thin);
    expect(record.fidelity).toMatchObject({ cohenKappa: null, reverseKl: null, calibration: null });
    expect(record.student).toMatchObject({ brier: null, murphy: null, eceVariants: [] });
    expect(evaluationRecordSchema.parse(record)).toEqual(record);
  });

  it('keeps every bit of a figure, and a word for an infinite one', () => {
    for (const value of [0.1 + 0.2, 5e-324, Number.MAX_VALUE, 0, Infinity]) {
      const sent: unknown = JSON.parse(JSON.stringify(unboundedFigure(value)));
      expect(Number(unboundedFigureSchema.parse(sent))).toBe(value);
    }
    expect(() => unboundedFigure(NaN)).toThrow(RangeError);
    expect(() => unboundedFigure(-Infinity)).toThrow(RangeError);
  });

  it.each(['-Infinity', 'NaN', 'inf', '0.1', Infinity, NaN])('has no figure like %s', (figure) => {
    expect(unboundedFigureSchema.safeParse(figure).success).toBe(false);
  });
});

describe('an answer about evaluations', () => {
  const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

  it('fits one message with as many evaluations as it may have', () => {
    const evaluations = Array(EVALUATIONS_PER_ANSWER).fill(largest());
    expect(bytesOf({ evaluations, next: 'r'.repeat(100) })).toBeLessThan(MESSAGE_BYTES);
  });

  it('fits one message with the largest section of each kind beside what is there already', () => {
    const bin: ReliabilityBinRecord = {
      lower: LONG,
      upper: LONG,
      count: 1_000_000_000,
      accuracy: LONG,
      confidence: LONG,
    };
    const cell: DisagreementCell = { teacher: 999_999, student: 999_999, count: 1_000_000_000 };
    const seen: ClassFiguresRecord = {
      class: 999_999,
      teacherPredicted: 1_000_000_000,
      studentPredicted: 1_000_000_000,
      agreement: LONG,
      labels: { count: 1_000_000_000, agreement: LONG, teacherAccuracy: LONG, studentAccuracy: LONG },
    };
    const bins = Array(1_001).fill(bin);
    const sections = [
      { section: 'reliability', teacher: bins, student: bins, fidelity: bins },
      { section: 'perClass', perClass: Array(DETAIL_LIMITS.classes).fill(seen) },
      {
        section: 'disagreement',
        classes: 1_000_000,
        total: 1_000_000_000,
        cells: Array(DETAIL_LIMITS.cells).fill(cell),
      },
    ];
    for (const section of sections) {
      // A section is added only where the answer stays below its limit, or is alone.
      expect(bytesOf(section)).toBeLessThan(MESSAGE_BYTES - 1_024);
      expect(metricsRpc.evaluationDetails.response.safeParse({ details: [section] }).success).toBe(true);
    }
    expect(DETAIL_LIMITS.answerBytes).toBeLessThan(MESSAGE_BYTES / 1.5);
  });
});
