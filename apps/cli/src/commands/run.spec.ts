import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';

const EXAMPLE = new URL('../../../../examples/lenet5-mnist.yaml', import.meta.url);

let fixture: CommandFixture;
let spec: string;

beforeEach(async () => {
  fixture = await CommandFixture.create();
  spec = join(fixture.directory, 'spec.yaml');
  await writeFile(spec, (await readFile(EXAMPLE, 'utf8')).replace('dataset: mnist', 'dataset: theirs'));
});

afterEach(() => fixture.dispose());

/** As a stack that runs over the data directory writes it. */
async function stackRunsHere(gatewayUrl: string): Promise<void> {
  await writeFile(join(fixture.directory, 'stack.lock'), JSON.stringify({ pid: process.pid, gatewayUrl }));
}

const operations = (): string[] => (fixture.gateway?.requests ?? []).map(({ operation }) => operation);

describe('run of a spec whose dataset is not on this machine', () => {
  it('is for a gateway elsewhere to judge, which may have it', async () => {
    await fixture.startGateway();
    const { status, stdout } = await fixture.run(['run', spec, '--detach', '--json']);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { run: 'r-1' }]);
    expect(fixture.gateway?.requests[0]?.variables).toMatchObject({ spec: { dataset: 'theirs' } });
  });

  it('is for a gateway elsewhere to judge, although another stack runs here', async () => {
    await fixture.startGateway();
    await stackRunsHere('http://127.0.0.1:1');
    expect((await fixture.run(['run', spec, '--detach'])).status).toBe(0);
  });

  it('is refused with the line if that gateway has not got it either', async () => {
    const refuse = (): never => {
      throw new FidelisError('DATASET.UNKNOWN', 'there is no dataset "theirs". Known: mnist, cifar10', {
        details: { name: 'theirs', known: ['mnist', 'cifar10'] },
      });
    };
    await fixture.startGateway({ StartRun: refuse });
    const result = await fixture.run(['run', spec, '--json']);
    expect(result.status).toBe(2);
    expect(errorOf(result)).toMatchObject({
      code: 'DATASET.UNKNOWN',
      message: expect.stringMatching(/spec\.yaml:\d+:10 {2}dataset\n[^]*Known: mnist, cifar10/) as string,
    });
    expect(operations()).toEqual(['StartRun']);
  });

  it('is refused by itself, before anybody is asked, if the stack is on this machine', async () => {
    const { url } = await fixture.startGateway();
    await stackRunsHere(url);
    const result = await fixture.run(['run', spec, '--json']);
    expect([result.status, errorOf(result).code]).toEqual([2, 'DATASET.UNKNOWN']);
    expect(operations()).toEqual([]);
  });

  it('is refused by itself if no stack is known', async () => {
    const result = await fixture.run(['run', spec, '--json']);
    expect([result.status, errorOf(result).code]).toEqual([2, 'DATASET.UNKNOWN']);
  });
});

it('a subset that is larger than a dataset which comes with Fidelis is refused wherever the stack is', async () => {
  await fixture.startGateway();
  const text = await readFile(EXAMPLE, 'utf8');
  await writeFile(spec, text.replace('kind: table', 'kind: table, subset: { size: 70000 }'));
  const result = await fixture.run(['run', spec, '--json']);
  expect(errorOf(result).message).toContain('mnist has only 60000 training samples');
  expect(operations()).toEqual([]);
});
