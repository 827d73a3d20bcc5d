import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sendInBatches } from './frame-batches.js';

interface Numbered {
  readonly step: number;
  readonly bytes: { readonly length: number };
}

function numbered(step: number, length = 100): Numbered {
  return { step, bytes: { length } };
}

async function* all(frames: readonly Numbered[]): AsyncGenerator<Numbered> {
  for (const frame of frames) {
    await Promise.resolve();
    yield frame;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('sendInBatches', () => {
  it('sends a frame at once while nothing else is under way', async () => {
    const sent: number[][] = [];
    let push: (frame: Numbered | undefined) => void = () => undefined;
    async function* slow(): AsyncGenerator<Numbered> {
      for (;;) {
        const frame = await new Promise<Numbered | undefined>((resolve) => (push = resolve));
        if (frame === undefined) return;
        yield frame;
      }
    }
    const done = sendInBatches(slow(), (batch) => {
      sent.push(batch.map(({ step }) => step));
      return Promise.resolve();
    });
    for (let step = 0; step < 3; step++) {
      await turn();
      push(numbered(step));
      await turn();
      expect(sent).toHaveLength(step + 1);
    }
    push(undefined);
    await done;
    expect(sent).toEqual([[0], [1], [2]]);
  });

  it('sends together what came while a message was under way, and never more than it may hold', async () => {
    const sizes: number[] = [];
    await sendInBatches(all(Array.from({ length: 100 }, (_, step) => numbered(step))), async (batch) => {
      sizes.push(batch.length);
      for (let i = 0; i < 50; i++) await turn();
    });
    expect(sizes[0]).toBe(1);
    expect(Math.max(...sizes)).toBe(16);
    expect(sizes.length).toBeLessThan(10);
  });

  it('bounds the bytes under way: large frames go alone', async () => {
    const sizes: number[] = [];
    await sendInBatches(all([0, 1, 2, 3].map((step) => numbered(step, 2 ** 20))), async (batch) => {
      sizes.push(batch.length);
      await turn();
    });
    expect(Math.max(...sizes)).toBe(1);
  });

  it('keeps every frame and their order, however slow either side is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ waits: fc.nat(3), bytes: fc.constantFrom(10, 100_000, 300_000) }), {
          maxLength: 60,
        }),
        fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
        async (frames, pauses) => {
          async function* source(): AsyncGenerator<Numbered> {
            for (const [step, { waits, bytes }] of frames.entries()) {
              for (let i = 0; i < waits; i++) await turn();
              yield numbered(step, bytes);
            }
          }
          const sent: number[] = [];
          let batches = 0;
          await sendInBatches(source(), async (batch) => {
            for (let i = 0; i < (pauses[batches % pauses.length] ?? 0); i++) await turn();
            batches++;
            sent.push(...batch.map(({ step }) => step));
          });
          expect(sent).toEqual(frames.map((_, step) => step));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends with what sending failed with, and sends nothing after it', async () => {
    let calls = 0;
    const failing = sendInBatches(all([0, 1, 2, 3].map((step) => numbered(step))), () => {
      calls++;
      return Promise.reject(new Error('the child is gone'));
    });
    await expect(failing).rejects.toThrow('the child is gone');
    expect(calls).toBe(1);
  });

  it('ends with what reading failed with, after what had come', async () => {
    const sent: number[] = [];
    async function* broken(): AsyncGenerator<Numbered> {
      yield* all([numbered(0), numbered(1)]);
      throw new Error('the stream is gone');
    }
    const failing = sendInBatches(broken(), (batch) => {
      sent.push(...batch.map(({ step }) => step));
      return Promise.resolve();
    });
    await expect(failing).rejects.toThrow('the stream is gone');
    expect(sent).toEqual([0, 1]);
  });
});
