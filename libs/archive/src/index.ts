export {
  archiveManifestJsonSchema,
  archiveManifestSchema,
  type ArchiveIdentity,
  type ArchiveManifest,
  type ShardEntry,
} from './archive-manifest.js';
export { type ArchiveStep } from './archive-steps.js';
export {
  openArchive,
  requireDatasets,
  verifyArchive,
  type ArchiveSummary,
  type LogitArchive,
  type ReadArchiveOptions,
} from './open-archive.js';
export { sampleSources, type SampleSource } from './sample-sources.js';
export {
  DEFAULT_SHARD_BYTES,
  writeArchive,
  type ArchiveHeader,
  type ArchiveProgress,
  type WriteArchiveOptions,
} from './write-archive.js';
export { type SplitPredictions } from './split-predictions.js';
export { mixesSamples, samplesOfView } from './view-samples.js';
