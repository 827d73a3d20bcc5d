import { FidelisError, type Codec } from '@fidelis/contracts';
import type { ArtifactStore, LogitLog } from '@fidelis/bus';
import { ComputeChild, withSilenceLimit } from '@fidelis/compute';
import type { Logger, MetricsRegistry } from '@fidelis/observability';
import type { TeacherConfig } from '../config.js';
import type { StreamRow } from '../streams/stream.entity.js';
import type { StreamRepository } from '../streams/stream.repository.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { PredictionTables } from './prediction-tables.js';
import type { FromScorer, SplitTask, StreamTask, ToScorer } from './scorer-protocol.js';

const SCORER = new URL('./scorer.child.js', import.meta.url);
const CHILD_GRACE_MS = 3_000;
/** How often people hear of a stream that grows. */
const REPORT_EVERY_MS = 500;

export interface ScoringPorts {
  readonly artifacts: ArtifactStore;
  readonly log: LogitLog;
  readonly streams: StreamRepository;
  readonly tables: PredictionTables;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  readonly config: TeacherConfig;
}

type StepMessage = Extract<FromScorer, { type: 'step' }>;

/** One child process with one teacher, working through what there is to score. */
export class ScoringSession {
  private readonly growth: StreamGrowth;

  constructor(
    private readonly ports: ScoringPorts,
    private readonly teacher: TeacherRow,
    private readonly signal: AbortSignal,
  ) {
    this.growth = new StreamGrowth(ports);
  }

  async run(streams: readonly StreamRow[], splits: readonly SplitTask[]): Promise<void> {
    const child = ComputeChild.spawn<ToScorer, FromScorer>(SCORER, {
      // It computes: the database is none of its business.
      env: { FIDELIS_DATABASE_URL: '' },
    });
    const stop = (): void => void child.stop({ graceMs: CHILD_GRACE_MS });
    this.signal.addEventListener('abort', stop);
    try {
      await child.send(await this.start());
      // A split takes seconds, a stream can take hours: whoever waits for an evaluation does not wait for the stream.
      const tasks = [...splits, ...(await this.streamTasks(streams))];
      const sending = this.sendAll(child, tasks);
      await this.receive(child, tasks.length);
      await sending;
    } finally {
      this.signal.removeEventListener('abort', stop);
      await child.stop({ graceMs: CHILD_GRACE_MS });
    }
  }

  private async start(): Promise<ToScorer> {
    const { memberWeights, spec, classes } = this.teacher;
    if (memberWeights === null)
      throw new FidelisError('TEACHER.NOT_READY', `teacher ${this.teacher.id} has no weights yet`);
    const { config } = this.ports;
    const members = await Promise.all(memberWeights.map((digest) => this.ports.artifacts.get(digest)));
    return {
      type: 'start',
      dataset: spec.dataset,
      architecture: spec.architecture,
      classes,
      members,
      backend: config.FIDELIS_BACKEND,
      threads: config.FIDELIS_THREADS,
      eager: config.FIDELIS_EAGER,
      graphs: config.FIDELIS_GRAPHS_DIR,
    };
  }

  /** The log itself says where to go on: after a restart, or behind another replica. */
  private async streamTasks(streams: readonly StreamRow[]): Promise<StreamTask[]> {
    const tasks: StreamTask[] = [];
    for (const { key, view, codec, parts, partRows, steps } of streams) {
      await this.ports.log.ensure(key);
      const fromStep = (await this.ports.log.lastStep(key, parts)) + 1;
      await this.growth.begin(key, codec, fromStep, steps);
      if (fromStep < steps)
        tasks.push({ type: 'score-stream', key, view, codec, parts, partRows, fromStep, toStep: steps });
    }
    return tasks;
  }

  private async sendAll(
    child: ComputeChild<ToScorer, FromScorer>,
    tasks: readonly (StreamTask | SplitTask)[],
  ): Promise<void> {
    try {
      for (const task of tasks) await child.send(task);
    } catch (error) {
      // A child that is gone is reported by the iteration over its messages.
      this.ports.logger.debug({ err: error }, 'the scoring child takes no more tasks');
    }
  }

  private async receive(child: ComputeChild<ToScorer, FromScorer>, tasks: number): Promise<void> {
    let done = 0;
    if (tasks === 0) return;
    const silenceMs = this.ports.config.FIDELIS_CHILD_SILENCE_SECONDS * 1_000;
    for await (const message of withSilenceLimit(child.messages, silenceMs, () => hangs(silenceMs))) {
      switch (message.type) {
        case 'started':
          this.ports.logger.info(
            { teacherId: this.teacher.id, producer: message.producer, backend: message.attempts },
            'scoring child ready',
          );
          break;
        case 'eager':
          this.ports.logger.warn({ name: message.name, reason: message.reason }, 'runs without a graph');
          break;
        case 'step':
          await this.publish(message);
          break;
        case 'split-scored':
          await this.storeTable(message);
          break;
        case 'task-done':
          if (message.task.type === 'score-stream') await this.growth.finish(message.task.key);
          done += 1;
          break;
      }
      if (done === tasks) return;
    }
    this.signal.throwIfAborted();
    throw new FidelisError('TRAINING.CHILD_EXITED', 'the scoring process ended before its work was done');
  }

  private async publish({ key, step, rows, messages, seconds }: StepMessage): Promise<void> {
    const outcome = await this.ports.log.append(key, messages.length, step, messages, {
      signal: this.signal,
    });
    if (outcome === 'behind') await this.checkStored(key, messages.length, step);
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    await this.growth.add(key, { step, rows, seconds, bytes: outcome === 'stored' ? bytes : 0 });
  }

  /** Another replica stored this step: its frames are the same, so this one's are not missed. Otherwise the log has lost some. */
  private async checkStored(key: string, parts: number, step: number): Promise<void> {
    const lastStep = await this.ports.log.lastStep(key, parts);
    if (lastStep >= step) return;
    throw new FidelisError(
      'STREAM.GAP',
      `stream ${key} ends at step ${lastStep}, not before ${step}: it is produced again from there`,
    );
  }

  private async storeTable({
    split,
    rows,
    values,
  }: Extract<FromScorer, { type: 'split-scored' }>): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const artifact = await this.ports.artifacts.put(bytes);
    await this.ports.tables.store(this.teacher.id, split, artifact, rows);
  }
}

function hangs(silenceMs: number): FidelisError {
  return new FidelisError(
    'TRAINING.CHILD_EXITED',
    `the scoring process hangs: it said nothing for ${silenceMs / 1_000} s and was ended; if its batches take that long, raise FIDELIS_CHILD_SILENCE_SECONDS`,
  );
}

/** What a stream has grown by, told to the database (and so to people) now and then. */
class StreamGrowth {
  private readonly pending = new Map<string, { steps: number; bytes: number; seconds: number }>();
  private readonly codecs = new Map<string, Codec>();
  private toldAt = 0;

  constructor(private readonly ports: ScoringPorts) {}

  async begin(key: string, codec: Codec, publishedSteps: number, steps: number): Promise<void> {
    this.codecs.set(key, codec);
    await this.ports.streams.change(key, (row) => {
      row.publishedSteps = publishedSteps;
      row.state = publishedSteps >= steps ? 'complete' : 'producing';
      return true;
    });
  }

  async add(
    key: string,
    { step, rows, seconds, bytes }: { step: number; rows: number; seconds: number; bytes: number },
  ): Promise<void> {
    const { metrics } = this.ports;
    const before = this.pending.get(key) ?? { steps: 0, bytes: 0, seconds: 0 };
    this.pending.set(key, {
      steps: step + 1,
      bytes: before.bytes + bytes,
      seconds: before.seconds + seconds,
    });
    const codec = this.codecs.get(key) ?? 'unknown';
    if (bytes > 0) metrics.counter('fidelis_frames_published_total').inc({ codec });
    metrics.counter('fidelis_frame_bytes_published_total').inc({ codec }, bytes);
    metrics.counter('fidelis_teacher_forward_seconds_total').inc(seconds);
    metrics.counter('fidelis_teacher_rows_total').inc(rows);
    if (performance.now() - this.toldAt > REPORT_EVERY_MS) await this.tell(key, false);
  }

  async finish(key: string): Promise<void> {
    await this.tell(key, true);
  }

  private async tell(key: string, finished: boolean): Promise<void> {
    const growth = this.pending.get(key) ?? { steps: 0, bytes: 0, seconds: 0 };
    this.pending.delete(key);
    this.toldAt = performance.now();
    await this.ports.streams.change(key, (row) => {
      row.publishedSteps = Math.max(row.publishedSteps, growth.steps);
      row.publishedBytes += growth.bytes;
      row.teacherSeconds += growth.seconds;
      // It may have been extended meanwhile: then the next session goes on.
      if (finished && row.publishedSteps >= row.steps) row.state = 'complete';
      return true;
    });
  }
}
