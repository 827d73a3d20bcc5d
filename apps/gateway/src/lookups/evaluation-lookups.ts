import {
  canonicalJson,
  DETAIL_LIMITS,
  FidelisError,
  metricsRpc,
  type DetailOf,
  type DetailSection,
  type EvaluationDetail,
  type EvaluationRecord,
} from '@fidelis/contracts';
import { Batcher } from './batcher.js';
import type { PlatformClient } from './platform-client.js';

/** What `metrics.evaluations` takes at once. */
const MAX_RUNS_PER_CALL = 200;
const UNLIMITED = Number.POSITIVE_INFINITY;

/** The evaluations that one request needs, asked for together; of what does not fit one answer, the rest is asked for again. */
export class EvaluationLookups {
  private readonly evaluations: Batcher<readonly EvaluationRecord[]>;
  private readonly details: Batcher<EvaluationDetail | null>;

  constructor(
    private readonly platform: PlatformClient,
    private readonly correlationId: string,
  ) {
    this.evaluations = new Batcher<readonly EvaluationRecord[]>(
      (runIds) => this.loadEvaluations(runIds),
      [],
      MAX_RUNS_PER_CALL,
    );
    this.details = new Batcher<EvaluationDetail | null>((keys) => this.loadDetails(keys), null, UNLIMITED);
  }

  ofRun(runId: string): Promise<readonly EvaluationRecord[]> {
    return this.evaluations.get(runId);
  }

  /** Null where the evaluation has no details. */
  async detail<Name extends DetailSection['section']>(
    section: Extract<DetailSection, { section: Name }>,
  ): Promise<DetailOf<Name> | null> {
    return (await this.details.get(canonicalJson(section))) as DetailOf<Name> | null;
  }

  private async loadEvaluations(runIds: string[]): Promise<Map<string, EvaluationRecord[]>> {
    const byRun = new Map<string, EvaluationRecord[]>();
    let after: string | null = null;
    do {
      const page: { readonly evaluations: readonly EvaluationRecord[]; readonly next: string | null } =
        await this.platform.call(
          metricsRpc.evaluations,
          after === null ? { runIds } : { runIds, after },
          this.correlationId,
        );
      for (const evaluation of page.evaluations) {
        const known = byRun.get(evaluation.runId);
        if (known === undefined) byRun.set(evaluation.runId, [evaluation]);
        else known.push(evaluation);
      }
      after = page.next;
    } while (after !== null);
    return byRun;
  }

  /** @throws FidelisError REQUEST.TOO_COMPLEX */
  private async loadDetails(keys: string[]): Promise<Map<string, EvaluationDetail | null>> {
    if (keys.length > DETAIL_LIMITS.sections) {
      throw new FidelisError(
        'REQUEST.TOO_COMPLEX',
        `the request asks for ${keys.length} details of evaluations, at most ${DETAIL_LIMITS.sections} are allowed: ask for fewer evaluations at a time`,
        { details: { what: 'details', found: keys.length, limit: DETAIL_LIMITS.sections } },
      );
    }
    const found = new Map<string, EvaluationDetail | null>();
    while (found.size < keys.length) {
      const rest = keys.slice(found.size);
      const { details } = await this.platform.call(
        metricsRpc.evaluationDetails,
        { sections: rest.map((key) => JSON.parse(key) as DetailSection) },
        this.correlationId,
      );
      rest.slice(0, details.length).forEach((key, index) => found.set(key, details[index] ?? null));
    }
    return found;
  }
}
