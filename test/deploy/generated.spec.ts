import { generatedFiles } from '@fidelis/deploy';
import { describe, expect, it } from 'vitest';
import { filesBelow, readText } from './deploy-files.js';

const GENERATED = 'deploy/generated';

describe('deploy/generated', () => {
  const files = generatedFiles();

  it('holds exactly the files that deploy/src makes', () => {
    expect(filesBelow(GENERATED)).toEqual([...files.keys()].sort());
  });

  it.each([...files])('%s is what deploy/src makes, to the byte', (name, text) => {
    expect(readText(`${GENERATED}/${name}`)).toBe(text);
  });
});
