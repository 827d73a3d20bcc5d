import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { fileURLToPath } from 'node:url';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { JobsResolver } from '../jobs/jobs.resolver.js';
import { PlatformResolver } from '../platform/platform.resolver.js';
import { EvaluationsResolver } from '../runs/evaluations.resolver.js';
import { RunFieldsResolver } from '../runs/run-fields.resolver.js';
import { RunProgressResolver } from '../runs/run-progress.resolver.js';
import { RunsResolver } from '../runs/runs.resolver.js';
import { StreamsResolver } from '../streams/streams.resolver.js';
import { TeachersResolver } from '../teachers/teachers.resolver.js';

const HEADER =
  '# Generated from the code: `npx vitest run apps/gateway/src/graphql/schema.spec.ts -u` writes it again.\n\n';

it('is the committed schema.graphql', async () => {
  const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
  const schema = await app
    .get(GraphQLSchemaFactory)
    .create([
      EvaluationsResolver,
      JobsResolver,
      PlatformResolver,
      RunFieldsResolver,
      RunProgressResolver,
      RunsResolver,
      StreamsResolver,
      TeachersResolver,
    ]);
  await app.close();
  // As `npm run format` would leave it.
  const sdl = await format(`${HEADER}${printSchema(lexicographicSortSchema(schema))}`, {
    ...(await resolveConfig(fileURLToPath(import.meta.url))),
    parser: 'graphql',
  });
  await expect(sdl).toMatchFileSnapshot('../../schema.graphql');
});
