export {
  NUMBER_TYPES,
  TABLE_FORMATS,
  type NumberType,
  type RowChunk,
  type Table,
  type TableFormat,
  type TableOptions,
} from './table.js';
