/** Frames of one message: each costs both processes a wake-up, which is more than a small frame itself. */
const MOST_FRAMES = 16;
/** Bytes of one message, unless one frame has more: what is under way is bounded by it. */
const MOST_BYTES = 256 * 1_024;

interface Sized {
  readonly bytes: { readonly length: number };
}

/**
 * Sends frames in their order: one that comes while nothing is being sent goes at once, those that come meanwhile go together. So a student
 * that waits for its teacher gets each frame as soon as it can, and one with frames to spare gets many at a time.
 *
 * @throws what `frames` or `send` throw; nothing is sent after it
 */
export async function sendInBatches<Frame extends Sized>(
  frames: AsyncIterable<Frame>,
  send: (batch: readonly Frame[]) => Promise<void>,
): Promise<void> {
  let batch: Frame[] = [];
  let bytes = 0;
  let sending: Promise<void> | undefined;
  let taken = (): void => undefined;
  let failure: { readonly error: unknown } | undefined;
  const drain = async (): Promise<void> => {
    try {
      while (batch.length > 0 && failure === undefined) {
        const next = batch;
        batch = [];
        bytes = 0;
        taken();
        await send(next);
      }
    } catch (error) {
      failure = { error };
    } finally {
      sending = undefined;
      taken();
    }
  };
  try {
    for await (const frame of frames) {
      batch.push(frame);
      bytes += frame.bytes.length;
      sending ??= drain();
      rethrow(failure);
      if (batch.length >= MOST_FRAMES || bytes >= MOST_BYTES) {
        await new Promise<void>((resolve) => (taken = resolve));
        rethrow(failure);
      }
    }
  } finally {
    await sending;
  }
  rethrow(failure);
}

function rethrow(failure: { readonly error: unknown } | undefined): void {
  if (failure !== undefined) throw failure.error;
}
