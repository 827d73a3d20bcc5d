import { decodeFrameHeader, FidelisError, type FrameHeader } from '@fidelis/contracts';
import type { Delivery } from '../pull/delivery.js';

interface Expected {
  readonly key: string;
  readonly parts: number;
  readonly sequence: number;
}

/** What the frame of a message is, if it is the one that belongs at this place of the log. */
export function checkedFrame({ data, streamSequence }: Delivery, expected: Expected): FrameHeader {
  const frame = decodeFrameHeader(data);
  if (frame.streamKey !== expected.key) {
    throw new FidelisError(
      'FRAME.FOREIGN',
      `message ${streamSequence} of the logit stream ${expected.key} is a frame of the stream ${frame.streamKey} (its step ${frame.step}); ` +
        'somebody else writes to its subject: remove the stream and let it be produced again',
      {
        details: {
          key: expected.key,
          foreignKey: frame.streamKey,
          sequence: streamSequence,
          step: frame.step,
          digest: frame.inputDigest,
        },
      },
    );
  }
  const place = frame.step * frame.parts + frame.part + 1;
  if (frame.parts !== expected.parts || place !== expected.sequence) {
    throw new FidelisError(
      'FRAME.FOREIGN',
      `message ${streamSequence} of the logit stream ${expected.key} holds part ${frame.part} of ${frame.parts} of step ${frame.step}, ` +
        `where ${placeInWords(expected)} belongs: remove the stream and let it be produced again`,
      {
        details: {
          key: expected.key,
          sequence: streamSequence,
          step: frame.step,
          part: frame.part,
          parts: frame.parts,
          expectedParts: expected.parts,
        },
      },
    );
  }
  return frame;
}

function placeInWords({ parts, sequence }: Expected): string {
  const place = sequence - 1;
  return `part ${place % parts} of ${parts} of step ${Math.floor(place / parts)}`;
}
