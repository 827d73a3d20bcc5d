import { Controller, Get, Inject, Res } from '@nestjs/common';

export type HealthCheck = () => Promise<void>;

/** A probe that takes longer than this counts as failed. */
const CHECK_DEADLINE_MS = 3_000;

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly draining: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/**
 * live: the event loop turns. startup: everything is set up. ready: started, not draining, and every registered check passes.
 */
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();
  private started = false;
  private draining = false;

  register(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  setStarted(): void {
    this.started = true;
  }

  setDraining(): void {
    this.draining = true;
  }

  isStarted(): boolean {
    return this.started;
  }

  async ready(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, string]> => [name, await outcome(check)]),
    );
    const passed = results.every(([, result]) => result === 'ok');
    return {
      status: this.started && !this.draining && passed ? 'ok' : 'unavailable',
      draining: this.draining,
      checks: { ...Object.fromEntries(results), started: this.started ? 'ok' : 'starting' },
    };
  }
}

async function outcome(check: HealthCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_DEADLINE_MS} ms`), CHECK_DEADLINE_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), deadline]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The part of an HTTP reply that the probes need. */
interface StatusReply {
  status(code: number): StatusReply;
  send(body: unknown): unknown;
}

@Controller('health')
export class HealthController {
  constructor(@Inject(HealthRegistry) private readonly health: HealthRegistry) {}

  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('startup')
  startup(@Res() reply: StatusReply): void {
    const started = this.health.isStarted();
    reply.status(started ? 200 : 503).send({ status: started ? 'ok' : 'starting' });
  }

  @Get('ready')
  async ready(@Res() reply: StatusReply): Promise<void> {
    const report = await this.health.ready();
    reply.status(report.status === 'ok' ? 200 : 503).send(report);
  }
}
