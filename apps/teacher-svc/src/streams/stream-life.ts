import type { StreamRow } from './stream.entity.js';

/** It is to be produced. */
export function isUnfinished({ state }: Pick<StreamRow, 'state'>): boolean {
  return state === 'opening' || state === 'producing';
}

/**
 * Somebody asks for a stream that exists. One that was given up is tried again for another request; one whose frames had to make room, or that
 * has fewer steps than asked for, is opened.
 *
 * @returns whether people can see a difference
 */
export function reopen(row: StreamRow, asked: Pick<StreamRow, 'steps' | 'correlationId'>): boolean {
  const retried = row.state === 'failed' && row.correlationId !== asked.correlationId;
  const expired = row.state === 'expired';
  if (row.steps >= asked.steps && !retried && !expired) return false;
  if (expired) {
    beginAnew(row, 0);
    row.producers = [];
  }
  // What nobody asks for any more is not produced again.
  const steps = expired ? asked.steps : Math.max(row.steps, asked.steps);
  Object.assign(row, { steps, state: 'opening', error: null, correlationId: asked.correlationId });
  return true;
}

/** A new incarnation, with its first step; of one without frames it is the first one still. */
export function beginAnew(row: StreamRow, firstStep: number): void {
  const incarnation = row.publishedSteps > 0 ? row.incarnation + 1 : row.incarnation;
  Object.assign(row, { state: 'opening', publishedSteps: firstStep, incarnation, waitsFor: null });
}

/**
 * No run reads the stream, so nothing is asked for any more: it is complete with what it has, and is extended when somebody asks again.
 *
 * @returns whether people can see a difference
 */
export function closeUnread(row: StreamRow): boolean {
  if (!isUnfinished(row)) return false;
  if (row.publishedSteps > 0) Object.assign(row, { steps: row.publishedSteps, state: 'complete' });
  else row.state = 'expired';
  row.waitsFor = null;
  return true;
}
