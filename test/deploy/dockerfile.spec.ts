import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Copy, DockerfileParser, From, type Instruction } from 'dockerfile-ast';
import { afterEach, describe, expect, it } from 'vitest';
import { isInContext } from './build-context.js';
import { exists, readJson, readText, REPOSITORY } from './deploy-files.js';

const dockerfile = DockerfileParser.parse(readText('deploy/Dockerfile'));
const instructions = dockerfile.getInstructions();
const stages = instructions.filter((each): each is From => each instanceof From);
const copies = instructions.filter((each): each is Copy => each instanceof Copy);
const lastStage = instructions.slice(instructions.lastIndexOf(stages.at(-1) as Instruction));

function argumentsOf(instruction: Instruction | undefined): string[] {
  return (instruction?.getArguments() ?? []).map((argument) => argument.getValue());
}

function inLastStage(keyword: string): Instruction | undefined {
  return lastStage.find((each) => each.getKeyword() === keyword);
}

function stageOf(copy: Copy): string | undefined {
  return (
    copy
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue() ?? undefined
  );
}

describe('Dockerfile', () => {
  it('has instructions that Docker knows', () => {
    const known = [
      'ARG',
      'CMD',
      'COPY',
      'ENTRYPOINT',
      'ENV',
      'EXPOSE',
      'FROM',
      'HEALTHCHECK',
      'LABEL',
      'RUN',
      'USER',
      'WORKDIR',
    ];
    for (const instruction of instructions) expect(known).toContain(instruction.getKeyword());
  });

  it('has a stage that builds and one that runs, on a pinned major version of Node', () => {
    expect(stages.map((stage) => stage.getBuildStage())).toEqual(['build', 'runtime']);
    expect(readText('deploy/Dockerfile')).toMatch(/^ARG NODE_IMAGE=node:22-[a-z-]+$/m);
  });

  it('copies only what exists and what .dockerignore lets through', () => {
    const sources = copies
      .filter((copy) => stageOf(copy) === undefined)
      .flatMap((copy) => argumentsOf(copy).slice(0, -1));
    expect(sources).not.toHaveLength(0);
    for (const source of sources) {
      expect(exists(source), source).toBe(true);
      if (source !== '.') expect(isInContext(source), source).toBe(true);
    }
  });

  it('copies from a stage before, from folders below its working directory or its cache', () => {
    const fromStages = copies.filter((copy) => stageOf(copy) !== undefined);
    expect(fromStages).not.toHaveLength(0);
    for (const copy of fromStages) {
      expect(stageOf(copy)).toBe('build');
      for (const source of argumentsOf(copy).slice(0, -1)) {
        const [, inRepository] = /^\/opt\/fidelis\/app\/(.+)$/.exec(source) ?? [];
        if (inRepository !== undefined) expect(exists(inRepository), source).toBe(true);
        else expect(source).toBe('/opt/fidelis/cache');
      }
    }
  });

  it('runs as a user that is not root, with a health check, labels and node as its entry', () => {
    expect(argumentsOf(inLastStage('USER'))).toEqual(['1000:1000']);
    expect(inLastStage('HEALTHCHECK')?.toString()).toContain('healthcheck.mjs');
    expect(inLastStage('LABEL')?.toString()).toContain('org.opencontainers.image.licenses');
    expect(inLastStage('ENTRYPOINT')?.toString()).toContain('["node"]');
  });
});

describe('the build context', () => {
  it('has the manifest of every workspace, without which npm ci refuses the lockfile', () => {
    const { packages } = readJson('package-lock.json') as { packages: Record<string, unknown> };
    const workspaces = Object.keys(packages).filter((path) => !path.includes('node_modules'));
    expect(workspaces).toContain('test');
    for (const workspace of workspaces) {
      const manifest = workspace === '' ? 'package.json' : `${workspace}/package.json`;
      expect(isInContext(manifest), manifest).toBe(true);
    }
  });

  it.each(['tools/bootstrap.mjs', 'nx.json', '.swcrc', 'package-lock.json', 'libs/contracts/src/index.ts'])(
    'has %s, which the build reads',
    (path) => {
      expect(exists(path)).toBe(true);
      expect(isInContext(path)).toBe(true);
    },
  );

  it.each([
    '.git/config',
    'node_modules/ajv/package.json',
    'libs/contracts/dist/index.js',
    'apps/cli/node_modules/x/index.js',
    'libs/data/src/philox.spec.ts',
    'deploy/compose.yaml',
    'deploy/generated/kubernetes/base/nats.yaml',
    'test/deploy/dockerfile.spec.ts',
    '.env',
  ])('does not have %s', (path) => {
    expect(isInContext(path)).toBe(false);
  });
});

describe('healthcheck.mjs', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
    server = undefined;
  });

  async function serve(status: number): Promise<string> {
    const listening = createServer((request, response) => {
      response.statusCode = request.url === '/health/ready' ? status : 404;
      response.end('{}');
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return String((listening.address() as AddressInfo).port);
  }

  function exitStatus(port: string): Promise<number> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [`${REPOSITORY}deploy/healthcheck.mjs`],
        { env: { FIDELIS_HTTP_PORT: port } },
        (error) => resolve(error === null ? 0 : Number(error.code)),
      );
    });
  }

  it('succeeds where the service is ready', async () => {
    expect(await exitStatus(await serve(200))).toBe(0);
  });

  it('fails where it is not', async () => {
    expect(await exitStatus(await serve(503))).toBe(1);
  });

  it('fails where nothing answers', async () => {
    const port = await serve(200);
    await new Promise((resolve) => server?.close(resolve));
    expect(await exitStatus(port)).toBe(1);
  });

  it('has nothing to say where no service runs, as for the command line', async () => {
    expect(await exitStatus('')).toBe(0);
  });
});
