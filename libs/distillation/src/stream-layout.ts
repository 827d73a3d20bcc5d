import { canonicalJson, FidelisError, inputDigest, type LogitFrame, type ViewSpec } from '@fidelis/contracts';

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
  /** That the teacher scored, as it says; for errors, which name both sides. */
  readonly view?: ViewSpec | undefined;
}

/** A step (or chunk) as this side sees it. */
export interface OwnStep {
  readonly view: ViewSpec;
  /** Of the whole step. */
  readonly rows: number;
  /** Made only where they are needed. */
  readonly inputs: () => Float32Array;
}

/** @throws FidelisError FRAME.FOREIGN, FRAME.INVALID if the frame is not one of this stream's; STREAM.MISALIGNED if its step is another than ours */
export function assertFits(frame: LogitFrame, layout: StreamLayout, own: OwnStep): void {
  if (layout.key !== undefined && frame.streamKey !== layout.key) {
    throw new FidelisError(
      'FRAME.FOREIGN',
      `step ${frame.step}: a frame of stream ${frame.streamKey} came in stream ${layout.key}, which is another teacher, view or codec; ` +
        'nothing was trained on it. Remove the stream and let it be produced again',
      {
        details: {
          step: frame.step,
          student: { streamKey: layout.key, view: own.view },
          teacher: { streamKey: frame.streamKey, digest: frame.inputDigest },
        },
      },
    );
  }
  const { members, classes, parts, partRows } = layout;
  requireEqual(frame, { members, classes, parts });
  // A step that is shorter than others, as the last of an epoch, can have parts without rows.
  const rows = Math.max(0, Math.min(partRows, own.rows - frame.part * partRows));
  if (frame.rows === rows && own.rows <= parts * partRows) return;
  assertAligned(frame, layout, own.view, own.inputs());
  requireEqual(frame, { rows });
}

function requireEqual(
  frame: LogitFrame,
  expected: Partial<Pick<LogitFrame, 'members' | 'classes' | 'parts' | 'rows'>>,
): void {
  for (const [field, value] of Object.entries(expected)) {
    const found = frame[field as keyof typeof expected];
    if (found === value) continue;
    throw new FidelisError(
      'FRAME.INVALID',
      `step ${frame.step}, part ${frame.part} has ${field} ${found} where the stream's layout says ${value}`,
      { details: { step: frame.step, part: frame.part, field, found, expected: value } },
    );
  }
}

/**
 * Holds the teacher to this side's inputs: whatever differs between the two views (dataset, order, augmentation, scaling) shows here.
 *
 * @param inputs of the whole step (or chunk), as the student sees them
 * @throws FidelisError STREAM.MISALIGNED
 */
export function assertAligned(
  { step, streamKey, inputDigest: teacherDigest }: LogitFrame,
  layout: StreamLayout,
  view: ViewSpec,
  inputs: Float32Array,
): void {
  const digest = inputDigest(inputs);
  if (digest === teacherDigest) return;
  const unit = view.kind === 'table' ? 'chunk' : 'step';
  const teacher = { streamKey, ...(layout.view === undefined ? {} : { view: layout.view }) };
  throw new FidelisError(
    'STREAM.MISALIGNED',
    `${unit} ${step}: the teacher of stream ${streamKey} scored inputs with digest ${teacherDigest}, this view has ${digest}. ` +
      `${differenceInWords(layout.view, view)}; nothing was trained on this ${unit}.`,
    { details: { step, student: { view, digest }, teacher: { ...teacher, digest: teacherDigest } } },
  );
}

/** What to look at first. */
function differenceInWords(teacher: ViewSpec | undefined, student: ViewSpec): string {
  if (teacher === undefined) return 'Both sides must build the same view from the same dataset and version';
  const [there, here] = [fieldsOf(teacher), fieldsOf(student)];
  const fields = [...new Set([...there.keys(), ...here.keys()])].filter(
    (field) => there.get(field) !== here.get(field),
  );
  return fields.length === 0
    ? 'Both sides say that they build the same view: the bytes of their datasets differ, or their versions, or the steps are out of order'
    : `Their views differ: ${fields.map((field) => `${field} is ${there.get(field) ?? 'absent'} there, ${here.get(field) ?? 'absent'} here`).join('; ')}`;
}

function fieldsOf(view: ViewSpec): Map<string, string> {
  return new Map(Object.entries(view).map(([field, value]) => [field, canonicalJson(value)]));
}
