export { augment } from './augmentation.js';
export { type Batch, type BatchSource } from './batch.js';
export { datasetCatalogue, datasetInfo, loadDataset, verifyDataset, type DatasetInfo } from './catalogue.js';
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
export { createSequenceView, SequenceView } from './sequence-view.js';
export { selectSubset } from './subset.js';
export { batchesOf, createTableView, TableView, type TableChunk } from './table-view.js';
export { batchParts, extentOfRows, viewExtent, type ViewExtent } from './view-extent.js';
export { NO_LABEL } from './view-samples.js';
