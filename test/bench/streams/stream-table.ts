import { spread, type Spread } from '../step/step-table.js';
import type { Measurement, StreamRow } from './stream-row.js';

const MEBIBYTE = 2 ** 20;

/** One row for each mode and number of students, in the order in which they came. */
export function rowsOf(measurements: readonly Measurement[]): StreamRow[] {
  const groups = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    const name = `${measurement.model} ${measurement.mode} ${measurement.students} ${measurement.steps}`;
    groups.set(name, [...(groups.get(name) ?? []), measurement]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [rowOf(first, group, measurements)];
  });
}

function rowOf(first: Measurement, group: readonly Measurement[], all: readonly Measurement[]): StreamRow {
  const median = (of: (measurement: Measurement) => number): number => spread(group.map(of)).median;
  const medianOrNull = (of: (measurement: Measurement) => number | null | undefined): number | null => {
    const values = group.map(of).filter((value) => value !== null && value !== undefined);
    return values.length === 0 ? null : spread(values).median;
  };
  const rates = spread(group.map(({ imagesPerSecond }) => imagesPerSecond));
  const baseline = all
    .filter(
      ({ model, mode, students }) =>
        model === first.model && mode === 'no-teacher' && students === first.students,
    )
    .map(({ imagesPerSecond }) => imagesPerSecond);
  const p50 = medianOrNull(({ frameAgeSeconds }) => frameAgeSeconds?.p50);
  const p99 = medianOrNull(({ frameAgeSeconds }) => frameAgeSeconds?.p99);
  // The repeats are in turns: each is set beside the baseline of its own turn, so that what slows the machine for a while slows both.
  // A long run for its memory is beside none of them.
  const inTurns = group.length === baseline.length;
  const turns = group.flatMap(({ imagesPerSecond }, turn) => {
    const beside = baseline[turn];
    return inTurns && beside !== undefined ? [imagesPerSecond / beside] : [];
  });
  return {
    model: first.model,
    mode: first.mode,
    students: first.students,
    steps: first.steps,
    repeats: group.length,
    imagesPerSecond: rates.median,
    imagesPerSecondRange: [rates.min, rates.max],
    relative: baseline.length === 0 ? null : rates.median / spread(baseline).median,
    relativeSpread: turns.length === 0 ? null : spread(turns),
    studentSecondsPerImage: median(({ studentSecondsPerImage }) => studentSecondsPerImage),
    teacherSeconds: median(({ teacherSeconds }) => teacherSeconds),
    teacherProcessorSeconds: medianOrNull(({ teacherProcessorSeconds }) => teacherProcessorSeconds),
    brokerSeconds: median(({ brokerSeconds }) => brokerSeconds),
    studentWaitRatio: median(({ studentWaitRatio }) => studentWaitRatio),
    bytesPerSample: medianOrNull(({ bytesPerSample }) => bytesPerSample),
    frameAgeSeconds: p50 === null || p99 === null ? null : { p50, p99 },
    peakMemoryBytes: {
      teacher: medianOrNull(({ peakMemoryBytes }) => peakMemoryBytes.teacher),
      student: median(({ peakMemoryBytes }) => peakMemoryBytes.student),
      broker: medianOrNull(({ peakMemoryBytes }) => peakMemoryBytes.broker),
    },
  };
}

const HEADINGS = [
  'model',
  'mode',
  'students',
  'steps',
  'images/s (least–most)',
  '× no-teacher (by turns: least–median–most)',
  'student CPU µs/image',
  'teacher s (CPU)',
  'broker s',
  'wait %',
  'bytes/sample',
  'age s p50 / p99',
  'peak MiB teacher / student / broker',
];

/** Of the ratios by turns, their median as well: where the machine drifts it is not the ratio of the medians. */
function besideTurns(turns: Spread | null): string {
  return turns === null
    ? ''
    : ` (${turns.min.toFixed(3)}–${turns.median.toFixed(3)}–${turns.max.toFixed(3)})`;
}

/** Markdown, aligned. */
export function tableOf(rows: readonly StreamRow[]): string {
  const cells = rows.map((row) => [
    row.model,
    row.mode,
    String(row.students),
    String(row.steps),
    `${row.imagesPerSecond.toFixed(0)} (${row.imagesPerSecondRange.map((rate) => rate.toFixed(0)).join('–')})`,
    row.relative === null ? '–' : `${row.relative.toFixed(3)}${besideTurns(row.relativeSpread)}`,
    (1e6 * row.studentSecondsPerImage).toFixed(1),
    `${row.teacherSeconds.toFixed(2)}${row.teacherProcessorSeconds === null ? '' : ` (${row.teacherProcessorSeconds.toFixed(1)})`}`,
    row.brokerSeconds.toFixed(2),
    (100 * row.studentWaitRatio).toFixed(1),
    row.bytesPerSample?.toFixed(1) ?? '–',
    row.frameAgeSeconds === null
      ? '–'
      : `${row.frameAgeSeconds.p50.toFixed(2)} / ${row.frameAgeSeconds.p99.toFixed(2)}`,
    [row.peakMemoryBytes.teacher, row.peakMemoryBytes.student, row.peakMemoryBytes.broker]
      .map((bytes) => (bytes === null ? '–' : (bytes / MEBIBYTE).toFixed(0)))
      .join(' / '),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(HEADINGS), rule, ...cells.map(line)].join('\n');
}
