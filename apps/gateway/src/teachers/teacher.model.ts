import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import {
  teacherStates,
  type ArchiveFile,
  type MemberModel,
  type StageProgress,
  type TeacherRecord,
  type TeacherSpec,
} from '@fidelis/contracts';
import { Failure } from '../graphql/error.model.js';
import { namesOf } from '../graphql/names-of.js';
import { ExecutionInfo } from '../runs/run.model.js';
import { DateTimeScalar, JsonScalar } from '../graphql/scalars.js';

export const TeacherState = namesOf(teacherStates);
registerEnumType(TeacherState, { name: 'TeacherState' });

@ObjectType({ description: 'Steps done, of the steps to do.' })
export class TeacherProgress implements StageProgress {
  @Field(() => Float)
  readonly done!: number;

  @Field(() => Float)
  readonly total!: number;
}

@ObjectType({ description: 'One model of a teacher.' })
export class TeacherMember implements MemberModel {
  @Field(() => ID, { description: 'The teacher that it is by itself.' })
  readonly teacherId!: string;

  @Field(() => Float, { description: 'Of its initialisation and its order of the data.' })
  readonly seed!: number;

  @Field(() => String, { nullable: true, description: 'sha-256 of its weights; null while training.' })
  readonly weights!: string | null;
}

@InputType({ description: 'A file of an exported stream, which was put to /artifacts/<digest> before.' })
export class ArchiveFileInput implements ArchiveFile {
  @Field(() => String, { description: 'Its name in the export.' })
  readonly file!: string;

  @Field(() => ID, { description: 'sha-256.' })
  readonly digest!: string;
}

@ObjectType({ description: "A teacher's logits on a whole split, without augmentation." })
export class TeacherPredictions {
  @Field(() => ID, {
    nullable: true,
    description:
      'Under /artifacts: [rows][members][classes] float32, little-endian. Null while they are computed.',
  })
  readonly artifact!: string | null;
}

@ObjectType({ description: 'What students learn from.' })
export class Teacher implements TeacherRecord {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => TeacherState)
  readonly state!: TeacherRecord['state'];

  @Field(() => JsonScalar, { description: 'Everything that decided its weights.' })
  readonly spec!: TeacherSpec;

  @Field(() => Int)
  readonly classes!: number;

  @Field(() => Int, { description: 'Members of the ensemble; 1 is a single model.' })
  readonly members!: number;

  @Field(() => String, {
    nullable: true,
    description: "sha-256 of the weights, of an ensemble over its members' digests; null while training.",
  })
  readonly weightsDigest!: string | null;

  @Field(() => [TeacherMember], { description: 'Its models, in order.' })
  readonly memberModels!: TeacherMember[];

  @Field(() => ExecutionInfo, {
    nullable: true,
    description: 'Null while it trains, and of an ensemble: its members have theirs.',
  })
  readonly execution!: TeacherRecord['execution'];

  @Field(() => TeacherProgress)
  readonly progress!: TeacherProgress;

  @Field(() => Failure, { nullable: true })
  readonly error!: TeacherRecord['error'];

  @Field(() => DateTimeScalar)
  readonly createdAt!: string;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly readyAt!: string | null;
}
