import { describe, expect, it } from 'vitest';
import { augmentationListSchema, POLICIES, policyAugmentation } from './augmentation-spec.js';

const messagesOf = (value: unknown): string[] =>
  augmentationListSchema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

describe('a list of augmentations', () => {
  it('is taken in the stated order, each with the parameters of the paper where none are given', () => {
    const kinds = [
      'rotation',
      'vertical-flip',
      'color-jitter',
      'crop',
      'random-shift',
      'horizontal-flip',
      'noise',
      'mixup',
    ];
    const list = kinds.map((kind) => (kind === 'random-shift' ? { kind, maxPixels: 2 } : { kind }));
    expect(augmentationListSchema.parse(list)).toEqual([
      { kind: 'rotation', degrees: 20 },
      { kind: 'vertical-flip', probability: 0.5 },
      { kind: 'color-jitter', brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.2 },
      { kind: 'crop', padding: 4 },
      { kind: 'random-shift', maxPixels: 2 },
      { kind: 'horizontal-flip', probability: 0.5 },
      { kind: 'noise', probability: 0.2 },
      { kind: 'mixup', portion: 1 },
    ]);
  });

  it('in another order is refused with the right one', () => {
    const [message] = messagesOf([{ kind: 'mixup' }, { kind: 'crop' }, { kind: 'rotation' }]);
    expect(message).toContain('write them as rotation, crop, mixup');
  });

  it.each(['noise', 'mixup'])('has %s once', (kind) => {
    expect(messagesOf([{ kind }, { kind }])).toEqual([`${kind} can be there once`]);
  });

  it.each([
    { kind: 'rotation', degrees: 181 },
    { kind: 'vertical-flip', probability: 1.1 },
    { kind: 'color-jitter', hue: 0.6 },
    { kind: 'crop', padding: 0 },
    { kind: 'mixup', portion: 0 },
    { kind: 'mixup', alpha: 1 },
    { kind: 'blur' },
  ])('refuses %j', (step) => {
    expect(augmentationListSchema.safeParse([step]).success).toBe(false);
  });
});

describe('a policy', () => {
  it.each(POLICIES)('%s is a list in the stated order that has the baseline in it', (policy) => {
    const list = policyAugmentation(policy);
    expect(augmentationListSchema.parse(list)).toEqual(list);
    const kinds = list.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['crop', 'horizontal-flip']));
  });

  it('combined is rotation, vertical flip and colour jitter before the baseline', () => {
    expect(policyAugmentation('combined').map(({ kind }) => kind)).toEqual([
      'rotation',
      'vertical-flip',
      'color-jitter',
      'crop',
      'horizontal-flip',
    ]);
  });
});
