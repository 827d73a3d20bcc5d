export { augment } from './augmentation.js';
export { type Batch, type BatchSource } from './batch.js';
export { InputRoom } from './input-room.js';
export {
  classCounts,
  damagedDatasets,
  datasetCatalogue,
  datasetInfo,
  datasetRefOf,
  isAdded,
  isBuiltIn,
  loadDataset,
  useDatasetDirectory,
  verifyDataset,
  type DamagedDataset,
  type DatasetInfo,
} from './catalogue.js';
export {
  createDataset,
  datasetRef,
  inputDimensions,
  inputLength,
  isImageShape,
  type Dataset,
  type ImageShape,
  type InputShape,
  type SplitData,
  type TokenShape,
} from './dataset.js';
export {
  archiveDataset,
  datasetInfoOf,
  hasDataset,
  loadDatasetOf,
  receiveDataset,
  useDatasetCopies,
} from './dataset-copies.js';
export { asksForClasses, experimentIssues, type CheckedDataset } from './experiment-checks.js';
export {
  loadIdxDataset,
  verifyIdxSource,
  type ChecksummedFile,
  type IdxSource,
  type VerifiedFile,
} from './idx-dataset.js';
export { nearestName } from './nearest-name.js';
export { permutation } from './permutation.js';
export { philox4x32, type PhiloxCounter, type PhiloxKey } from './philox.js';
export {
  RANDOM_DOMAINS,
  randomBelow,
  randomKey,
  randomUint32,
  randomUnit,
  type RandomDomain,
  type RandomStreamId,
} from './random.js';
export { scaleInputs } from './scaling.js';
export { createSequenceView, SequenceView, type StepSamples } from './sequence-view.js';
export { sineAndCosine } from './trigonometry.js';
export { selectSubset } from './subset.js';
export { batchesOf, createTableView, TableView, type TableChunk } from './table-view.js';
export { teacherBatches, type TeacherData } from './teacher-batches.js';
export { batchParts, extentOfRows, viewExtent, type ViewExtent } from './view-extent.js';
export { NO_LABEL } from './view-samples.js';
export { addDataset, type AddDatasetOptions, type AddedDataset } from './import/import-dataset.js';
export {
  IMPORT_KINDS,
  type ImportKind,
  type ImportOptions,
  type ImportProgress,
} from './import/import-types.js';
export type { DatasetArchive } from './store/dataset-archive.js';
export { removeStored } from './store/dataset-store.js';
export { createDraft, removeAbandonedDrafts } from './store/drafts.js';
export { loadOthers, otherRefs } from './open-view.js';
export { contactSheet, type SheetCell, type SheetOptions } from './preview/contact-sheet.js';
