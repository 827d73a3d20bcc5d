import { FidelisError, type EvaluationRequest, type LogitFrame } from '@fidelis/contracts';
import type { MessageContext } from '@fidelis/bus';
import { createLogger } from '@fidelis/observability';
import { beforeEach, describe, expect, it } from 'vitest';
import { EvaluationController } from './evaluation.controller.js';
import type { EvaluationRepository } from './evaluation.repository.js';
import type { PartScorer } from './part-scorer.js';
import type { EvaluationSeries } from './series.js';

const LAST = 1_000;

describe('a part that is not scored', () => {
  let told: string[];
  let problem: unknown;
  let sut: EvaluationController;

  beforeEach(() => {
    told = [];
    const scorer = {
      score: async () => {
        throw problem;
      },
    };
    const evaluations = {
      exists: async () => false,
      tellFailure: async ({ error }: { error: { code: string } }) => {
        told.push(error.code);
      },
    };
    sut = new EvaluationController(
      scorer as unknown as PartScorer,
      evaluations as unknown as EvaluationRepository,
      {} as EvaluationSeries,
      createLogger({ service: 'metrics-svc', level: 'fatal' }),
    );
  });

  const request = { runId: 'r-1', correlationId: 'c-1', set: 'test', step: 47 } as EvaluationRequest;
  const score = (deliveryCount: number): Promise<void> =>
    sut.score({ request, frame: { part: 0 } as LogitFrame }, { deliveryCount } as MessageContext);

  it('is told to the run where it can never be', async () => {
    problem = new FidelisError('STREAM.MISALIGNED', 'other inputs');
    await expect(score(1)).rejects.toBe(problem);
    expect(told).toEqual(['STREAM.MISALIGNED']);
  });

  it.each([
    ['its teacher is at work', new FidelisError('TEACHER.NOT_READY', 'still scoring'), 'TEACHER.NOT_READY'],
    ['of an error of somebody else', new TypeError('x is undefined'), 'INTERNAL'],
  ])('comes again while %s, and is told to the run when it comes no more', async (_, error, code) => {
    problem = error;
    await expect(score(LAST - 1)).rejects.toBe(error);
    expect(told).toEqual([]);
    await expect(score(LAST)).rejects.toBe(error);
    expect(told).toEqual([code]);
  });

  it.each([
    ['the database', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['the teacher service', new FidelisError('BUS.UNAVAILABLE', 'nobody answers')],
  ])('waits for %s that is away, however often it came', async (_, error) => {
    problem = error;
    await expect(score(LAST)).rejects.toBe(error);
    expect(told).toEqual([]);
  });
});
