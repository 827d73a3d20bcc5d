import type { ArchiveManifest } from '@fidelis/archive';

/** What a spec says to distil from an imported stream: its view as it was, since no other was scored. */
export function specOfArchive(
  { view, codec }: Pick<ArchiveManifest, 'view' | 'codec'>,
  teacherId: string,
): Readonly<Record<string, unknown>> {
  const { dataset, split: _split, ...seen } = view;
  const common = { dataset: dataset.name, teacher: { id: teacherId } };
  if (seen.kind === 'table') return { ...common, view: seen, codec };
  const { batchSize, append, synthetic, ...field } = seen;
  return {
    ...common,
    view: {
      ...field,
      ...(append === undefined ? {} : { append: { ...append, dataset: append.dataset.name } }),
      ...(synthetic === undefined ? {} : { synthetic: { ...synthetic, dataset: synthetic.dataset.name } }),
    },
    codec,
    student: { batchSize },
  };
}
