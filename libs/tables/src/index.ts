export { openArray, type ArrayFile } from './array-file.js';
export { encodeNpy, float32Bytes, npyFloats, npyHeader } from './encode-npy.js';
export { openTable } from './open-table.js';
export { readLogits, type LogitTable } from './read-logits.js';
export { readLabels, type LabelOptions } from './read-labels.js';
export {
  NUMBER_TYPES,
  TABLE_FORMATS,
  type NumberType,
  type RowChunk,
  type Table,
  type TableFormat,
  type TableOptions,
} from './table.js';
