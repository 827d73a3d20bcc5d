import { FidelisError, inputDigest, type LogitFrame, type ViewSpec } from '@fidelis/contracts';

/** What a reader of a stream knows of its frames beforehand. */
export interface StreamLayout {
  /** Frames of another stream are refused if it is given. */
  readonly key?: string;
  readonly members: number;
  readonly classes: number;
  /** Of every step. */
  readonly parts: number;
  /** Rows of each part of a step but the last. */
  readonly partRows: number;
}

/**
 * @param rows of the whole step
 * @throws FidelisError FRAME.FOREIGN, FRAME.INVALID if the frame is not one of this stream's
 */
export function assertFits(frame: LogitFrame, layout: StreamLayout, rows: number): void {
  if (layout.key !== undefined && frame.streamKey !== layout.key) {
    throw new FidelisError(
      'FRAME.FOREIGN',
      `a frame of stream ${frame.streamKey} came in stream ${layout.key}`,
    );
  }
  const start = frame.part * layout.partRows;
  const partRows = Math.min(layout.partRows, rows - start);
  const expected = { members: layout.members, classes: layout.classes, parts: layout.parts, rows: partRows };
  for (const [field, value] of Object.entries(expected)) {
    const found = frame[field as keyof typeof expected];
    if (found !== value) {
      throw new FidelisError(
        'FRAME.INVALID',
        `step ${frame.step}, part ${frame.part} has ${field} ${found} where the stream's layout says ${value}`,
        { details: { step: frame.step, part: frame.part, field, found, expected: value } },
      );
    }
  }
}

/**
 * Holds the teacher to this side's inputs: whatever differs between the two views (dataset, order, augmentation, scaling) shows here.
 *
 * @param inputs of the whole step (or chunk), as the student sees them
 * @throws FidelisError STREAM.MISALIGNED
 */
export function assertAligned(
  view: ViewSpec,
  step: number,
  inputs: Float32Array,
  teacher: { readonly streamKey: string; readonly inputDigest: string },
): void {
  const ownDigest = inputDigest(inputs);
  if (ownDigest === teacher.inputDigest) return;
  const unit = view.kind === 'table' ? 'chunk' : 'step';
  throw new FidelisError(
    'STREAM.MISALIGNED',
    `${unit} ${step}: the teacher of stream ${teacher.streamKey} scored inputs with digest ${teacher.inputDigest}, this view has ${ownDigest}. ` +
      'Both sides must build the same view from the same dataset and version; nothing was trained on this step.',
    {
      details: {
        step,
        student: { view, digest: ownDigest },
        teacher: { streamKey: teacher.streamKey, digest: teacher.inputDigest },
      },
    },
  );
}
