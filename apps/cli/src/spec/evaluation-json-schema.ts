import { evaluationDocumentSchema } from '@fidelis/report';
import { z } from 'zod';

/** The schema of what `fidelis evaluate --json` prints. */
export function evaluationJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(evaluationDocumentSchema), title: 'Fidelis evaluation' };
}
