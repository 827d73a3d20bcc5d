import { CODEC_BYTES, type Codec } from '@fidelis/contracts';
import {
  DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Precision,
  Schema,
  Uint32,
  Utf8,
} from 'apache-arrow';
import type { ArchiveIdentity } from './archive-manifest.js';

/** Hexadecimal digits of an input digest. */
export const DIGEST_LENGTH = 16;

/** What decides the columns of a stream's shards. */
export interface ShardShape {
  readonly codec: Codec;
  /** Numbers of one row: members · classes. */
  readonly width: number;
  readonly mixing: boolean;
}

export function shardShape({
  codec,
  members,
  classes,
  mixing,
}: Pick<ArchiveIdentity, 'codec' | 'members' | 'classes' | 'mixing'>): ShardShape {
  return { codec, width: members * classes, mixing };
}

/** Bytes that one row takes in a shard: numbers, id, step, row, digest with its offset. */
export function shardRowBytes({ codec, width, mixing }: ShardShape): number {
  return 4 + 4 + 4 + (mixing ? 8 : 0) + DIGEST_LENGTH + 4 + width * CODEC_BYTES[codec];
}

interface ColumnRule {
  readonly name: string;
  /** For people, in pyarrow's words. */
  readonly type: string;
  readonly field: Field;
  readonly fits: (type: DataType) => boolean;
}

function column(name: string, type: string, arrow: DataType, fits: ColumnRule['fits']): ColumnRule {
  return { name, type, field: new Field(name, arrow, false), fits };
}

const isUint32 = (type: DataType): boolean => DataType.isInt(type) && type.bitWidth === 32 && !type.isSigned;
const isFloat = (precision: Precision, type: DataType): boolean =>
  DataType.isFloat(type) && type.precision === precision;

/** Columns of a shard, in their order. */
export function shardColumns({ codec, width, mixing }: ShardShape): readonly ColumnRule[] {
  const [value, precision, name] =
    codec === 'f16'
      ? [new Float16(), Precision.HALF, 'float16']
      : [new Float32(), Precision.SINGLE, 'float32'];
  return [
    column('step', 'uint32', new Uint32(), isUint32),
    column('row', 'uint32', new Uint32(), isUint32),
    column('sample_id', 'uint32', new Uint32(), isUint32),
    ...(mixing
      ? [
          column('partner_id', 'uint32', new Uint32(), isUint32),
          column('mixing_weight', 'float32', new Float32(), (type) => isFloat(Precision.SINGLE, type)),
        ]
      : []),
    column('input_digest', 'string', new Utf8(), (type) => DataType.isUtf8(type)),
    column(
      'logits',
      `fixed_size_list<${name}>[${width}]`,
      new FixedSizeList(width, new Field('item', value, false)),
      (type) =>
        DataType.isFixedSizeList(type) &&
        type.listSize === width &&
        isFloat(precision, type.valueType as DataType),
    ),
  ];
}

export function shardSchema(shape: ShardShape): Schema {
  return new Schema(shardColumns(shape).map(({ field }) => field));
}

/** What is wrong with a shard's columns; undefined where nothing is. */
export function columnProblem(schema: Schema, shape: ShardShape): string | undefined {
  const rules = shardColumns(shape);
  for (const { name, type, fits } of rules) {
    const field = schema.fields.find((candidate) => candidate.name === name);
    if (field === undefined) return `has no column "${name}" (${type})`;
    if (!fits(field.type as DataType)) return `column "${name}" is ${String(field.type)}, not ${type}`;
  }
  const extra = schema.fields.find(({ name }) => !rules.some((rule) => rule.name === name));
  return extra === undefined ? undefined : `has a column "${extra.name}" that no shard of this stream has`;
}
