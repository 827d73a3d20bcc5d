import type { CodecErrorSums } from '@fidelis/distillation';
import type { FidelisError, ProducerFingerprint, StreamRecord } from '@fidelis/contracts';
import { addCodecErrors, NOTHING, withSums } from './codec-errors.js';
import { addSteps } from '../streams/producer-rule.js';
import { isUnfinished } from '../streams/stream-life.js';
import type { StreamRow } from '../streams/stream.entity.js';
import type { ScoringPorts } from './scoring-ports.js';
import type { StepMessage } from './scorer-protocol.js';

/** How often people hear of a stream that grows. */
const REPORT_EVERY_MS = 500;

interface Growth {
  /** Of the last one, plus one. */
  endStep: number;
  /** Stored by this session. */
  steps: number;
  bytes: number;
  seconds: number;
  codec: CodecErrorSums;
  toldAt: number;
  readonly incarnation: number;
  /** Steps before it were published in an earlier incarnation. */
  reachedSteps: number;
}

/** What streams have grown by, told to the database (and so to people) now and then. */
export class StreamGrowth {
  private readonly growing = new Map<string, Growth>();

  constructor(
    private readonly ports: Pick<ScoringPorts, 'streams' | 'metrics' | 'leases'>,
    private readonly producer: ProducerFingerprint,
  ) {}

  /** @returns the row as it is now; undefined if the stream is to be produced no more */
  async begin(
    { key, reachedSteps, incarnation }: StreamRow,
    publishedSteps: number,
  ): Promise<StreamRow | undefined> {
    const toldAt = performance.now();
    const none = {
      endStep: publishedSteps,
      steps: 0,
      bytes: 0,
      seconds: 0,
      codec: NOTHING,
      toldAt,
      reachedSteps,
      incarnation,
    };
    this.growing.set(key, none);
    const row = await this.ports.streams.change(key, (current) => {
      if (!isUnfinished(current)) return false;
      current.publishedSteps = publishedSteps;
      current.state = publishedSteps >= current.steps ? 'complete' : 'producing';
      return true;
    });
    return row !== undefined && isUnfinished(row) ? row : undefined;
  }

  /** @param bytes of its frames; 0 if another replica had stored them */
  async add(
    row: StreamRow,
    { key, step, rows, seconds, canaryRows, codecError }: StepMessage,
    bytes: number,
  ): Promise<void> {
    const { metrics } = this.ports;
    const growth = this.growing.get(key);
    if (growth === undefined) return;
    const { codec } = row;
    if (bytes > 0) {
      growth.steps += 1;
      growth.bytes += bytes;
      growth.codec = addCodecErrors(growth.codec, codecError);
      if (step >= growth.reachedSteps) metrics.counter('fidelis_frames_published_total').inc({ codec });
    }
    growth.endStep = step + 1;
    growth.reachedSteps = Math.max(growth.reachedSteps, step + 1);
    growth.seconds += seconds;
    metrics.counter('fidelis_frame_bytes_published_total').inc({ codec }, bytes);
    metrics.counter('fidelis_teacher_forward_seconds_total').inc(seconds);
    metrics.counter('fidelis_teacher_rows_total').inc(rows);
    metrics.counter('fidelis_canary_rows_total').inc(canaryRows);
    if (performance.now() - growth.toldAt > REPORT_EVERY_MS) await this.tell(key, null);
  }

  /** The log ends elsewhere than thought. */
  moveTo(key: string, endStep: number): void {
    const growth = this.growing.get(key);
    if (growth !== undefined) growth.endStep = endStep;
  }

  isUntold(key: string): boolean {
    return (this.growing.get(key)?.steps ?? 0) > 0;
  }

  /** @returns the row as it is now, which may have been extended */
  async tell(key: string, waitsFor: StreamRecord['waitsFor']): Promise<StreamRow | undefined> {
    const growth = this.growing.get(key);
    if (growth === undefined) return undefined;
    const { endStep, steps, bytes, seconds, reachedSteps, codec } = growth;
    Object.assign(growth, { steps: 0, bytes: 0, seconds: 0, codec: NOTHING, toldAt: performance.now() });
    return this.ports.streams.change(key, (row) => {
      const { instance } = this.ports.leases;
      const at = new Date().toISOString();
      row.producers = addSteps(row.producers, { instance, fingerprint: this.producer, steps, at });
      row.publishedBytes += bytes;
      row.teacherSeconds += seconds;
      row.codecError = withSums(row.codecError, codec);
      row.reachedSteps = Math.max(row.reachedSteps, reachedSteps);
      // Begun anew meanwhile: where it ends now is not known here.
      if (!isUnfinished(row) || row.incarnation !== growth.incarnation) return true;
      Object.assign(row, { publishedSteps: endStep, state: 'producing', waitsFor });
      if (endStep >= row.steps) Object.assign(row, { state: 'complete', waitsFor: null });
      return true;
    });
  }

  /** The stream is given up. */
  async fail(key: string, error: FidelisError): Promise<void> {
    await this.ports.streams.change(key, (row) => {
      if (!isUnfinished(row)) return false;
      Object.assign(row, { state: 'failed', waitsFor: null, error: error.toWire() });
      return true;
    });
  }

  forget(key: string): void {
    this.growing.delete(key);
  }
}
