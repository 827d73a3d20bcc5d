import { CODEC_BYTES, FRAME_HEADER_BYTES, logitSubject, type Codec, type ViewSpec } from '@fidelis/contracts';
import { datasetInfoOf, viewExtent } from '@fidelis/data';

/** What JetStream's file store keeps with each message besides subject and payload: length, sequence, time, checksum, and the headers of its publish. */
const RECORD_BYTES = 140;

/** What decides how large a stream is. */
export interface StreamShape {
  readonly key: string;
  readonly view: ViewSpec;
  readonly codec: Codec;
  readonly members: number;
  readonly classes: number;
  readonly parts: number;
}

/** Bytes that a full step takes in the log. */
export function stepBytes(shape: StreamShape): number {
  return bytesOf(shape, extent(shape).stepRows, 1);
}

/** Bytes that the first `steps` steps take in the log, but no more than those of one epoch (of a table: the whole). */
export function epochBytes(shape: StreamShape, steps: number): number {
  const view = extent(shape);
  const counted = Math.min(steps, view.stepsPerEpoch);
  return bytesOf(shape, view.rowsOfSteps(counted), counted);
}

function bytesOf({ key, codec, members, classes, parts }: StreamShape, rows: number, steps: number): number {
  const messageBytes = FRAME_HEADER_BYTES + logitSubject(key).length + RECORD_BYTES;
  return rows * members * classes * CODEC_BYTES[codec] + steps * parts * messageBytes;
}

function extent({ view }: StreamShape): ReturnType<typeof viewExtent> {
  return viewExtent(view, datasetInfoOf(view.dataset).splits[view.split]);
}
