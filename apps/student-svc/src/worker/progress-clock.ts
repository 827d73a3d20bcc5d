import type { TrainJob } from '@fidelis/contracts';
import type { StepInfo, TargetProvider } from '@fidelis/distillation';
import type { FrameAges } from './frame-ages.js';
import { frameCounts } from './frame-counts.js';
import type { FromTrainer } from './trainer-protocol.js';

const REPORT_EVERY_MS = 500;

/**
 * Reports how far the training is, at most twice a second: after a step, and while the student waits for its teacher. A process that hangs in a
 * step reports nothing, and so loses its job in time.
 */
export class ProgressClock {
  private timer: NodeJS.Timeout | undefined;
  private last: StepInfo | undefined;
  private images = 0;
  private allImages = 0;
  private reportedAt = performance.now();
  private rate: number | null = null;

  constructor(
    private readonly job: TrainJob,
    private readonly extent: { readonly steps: number; readonly fromStep: number },
    private readonly frames: { readonly targets: TargetProvider | undefined; readonly ages: FrameAges },
    private readonly send: (message: FromTrainer) => Promise<void>,
  ) {}

  start(): void {
    this.reportedAt = performance.now();
    this.timer = setInterval(() => void this.reportIfDue(), REPORT_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async step(info: StepInfo): Promise<void> {
    this.last = info;
    this.images += info.rows;
    this.allImages += info.rows;
    await this.reportIfDue();
  }

  /** Also for what takes its time between the steps and after them, and so says that it lives. */
  async reportIfDue(): Promise<void> {
    if (performance.now() - this.reportedAt > REPORT_EVERY_MS) await this.report();
  }

  async report(): Promise<void> {
    const now = performance.now();
    const seconds = (now - this.reportedAt) / 1_000;
    if (this.images > 0) this.rate = this.images / seconds;
    this.images = 0;
    this.reportedAt = now;
    const { steps, fromStep } = this.extent;
    const step = this.last?.step ?? fromStep;
    await this.send({
      type: 'progress',
      step,
      steps,
      epoch: Math.floor((step * this.job.epochs) / steps),
      loss: this.last?.loss ?? null,
      gradientNorm: this.last?.gradientNorm ?? null,
      learningRate: this.last?.learningRate ?? null,
      imagesPerSecond: this.rate,
      ...frameCounts(this.frames.targets),
      frameAges: this.frames.ages.take(),
    });
  }

  overallRate(seconds: number): number {
    return seconds > 0 ? this.allImages / seconds : 0;
  }
}
