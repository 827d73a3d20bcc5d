import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256Hex } from '@fidelis/contracts';
import { encodeNpy } from '@fidelis/tables';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasetsHere } from '../data/known-datasets.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import { parseSpec } from '../spec/read-spec.js';
import { withUploadedTables } from './upload-tables.js';

const specText = (teacher: string): string => `name: given
dataset: mnist
teacher:
  kind: table
${teacher}
student: { architecture: lenet5, epochs: 1, batchSize: 64, optimizer: { learningRate: 0.01 } }
evaluation: { sets: [train-clean] }
`;

describe('the tables of a spec', () => {
  let directory: string;
  let server: Server;
  let client: GatewayClient;
  let stored: Map<string, Buffer>;
  let puts: number;
  let warnings: string[];

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'fidelis-tables-'));
    stored = new Map();
    [puts, warnings] = [0, []];
    server = createServer((request, response) => {
      void (async () => {
        const digest = (request.url ?? '').slice('/artifacts/'.length);
        if (request.method === 'HEAD') {
          response.writeHead(stored.has(digest) ? 200 : 404).end();
          return;
        }
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        stored.set(digest, Buffer.concat(chunks));
        puts += 1;
        response.writeHead(201).end('{}');
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new GatewayClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  const upload = (teacher: string): ReturnType<typeof withUploadedTables> => {
    const file = path.join(directory, 'specs', 'given.yaml');
    const specFile = parseSpec(file, specText(teacher), datasetsHere());
    const warn = (text: string): void => void warnings.push(text);
    const { signal } = new AbortController();
    return withUploadedTables(specFile.spec, specFile, { file, client, signal, warn });
  };
  const table = (fill: (index: number) => number): Float32Array =>
    Float32Array.from({ length: 600_000 }, (_, i) => fill(i));

  it('are stored as float32 with the members apart, and named by their digest, once', async () => {
    await mkdir(path.join(directory, 'specs'));
    const values = table((index) => (index % 13) - 6);
    await writeFile(path.join(directory, 't.npy'), encodeNpy(values, [60_000, 10]));
    const canonical = encodeNpy(values, [60_000, 1, 10]);
    for (let time = 0; time < 2; time++) {
      expect((await upload('  logits: ../t.npy')).teacher).toEqual({
        kind: 'table',
        logits: sha256Hex(canonical),
      });
    }
    expect(Buffer.compare(stored.get(sha256Hex(canonical)) ?? Buffer.alloc(0), canonical)).toBe(0);
    expect(puts).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('that are named by a digest were uploaded before', async () => {
    const digest = 'ab'.repeat(32);
    expect((await upload(`  logits: ${digest}`)).teacher).toEqual({ kind: 'table', logits: digest });
    expect(puts).toBe(0);
  });

  it.each([
    ['is not there', undefined, /given\.yaml:5:11 {2}teacher\.logits[^]*no such file/],
    [
      'is of other samples',
      encodeNpy(new Float32Array(30), [3, 10]),
      /has 3 rows, and the split has 60000 samples/,
    ],
    ['is no table', Buffer.from('hello'), /given\.yaml:5:11 {2}teacher\.logits/],
  ])('one that %s is a mistake of the spec, with its line', async (_, bytes, message) => {
    await mkdir(path.join(directory, 'specs'));
    if (bytes !== undefined) await writeFile(path.join(directory, 'specs', 't.npy'), bytes);
    await expect(upload('  logits: t.npy')).rejects.toMatchObject({
      code: 'SPEC.INVALID',
      message: expect.stringMatching(message) as string,
    });
    expect(puts).toBe(0);
  });

  it('warn of probabilities', async () => {
    await mkdir(path.join(directory, 'specs'));
    await writeFile(
      path.join(directory, 'specs', 'p.npy'),
      encodeNpy(
        table(() => 0.1),
        [60_000, 10],
      ),
    );
    await upload('  logits: p.npy');
    expect(warnings).toEqual([expect.stringContaining('p.npy looks like probabilities')]);
  });
});
