import { Field, Float, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import {
  deadLetterSchema,
  jobRecordSchema,
  placementSchema,
  type DeadLetter,
  type Garbage,
  type JobRecord,
} from '@fidelis/contracts';
import { namesOf } from '../graphql/names-of.js';
import { DateTimeScalar } from '../graphql/scalars.js';

const JobKind = namesOf(jobRecordSchema.shape.kind.options);
registerEnumType(JobKind, { name: 'JobKind', description: 'unknown: it is no training.' });
const JobState = namesOf(jobRecordSchema.shape.state.options);
registerEnumType(JobState, {
  name: 'JobState',
  description: 'waiting for a worker; running: one has taken it up.',
});
const PlacementName = namesOf(placementSchema.options);
registerEnumType(PlacementName, { name: 'Placement', description: 'Kind of worker.' });
const MessageKindName = namesOf(deadLetterSchema.shape.kind.options);
registerEnumType(MessageKindName, { name: 'MessageKind' });

@ObjectType({ description: 'A training on the queue.' })
export class Job implements JobRecord {
  @Field(() => ID, { description: 'Of the run, or of the teacher that is trained.' })
  readonly id!: string;

  @Field(() => JobKind)
  readonly kind!: JobRecord['kind'];

  @Field(() => PlacementName)
  readonly placement!: JobRecord['placement'];

  @Field(() => JobState)
  readonly state!: JobRecord['state'];

  @Field(() => String, { nullable: true })
  readonly worker!: string | null;

  @Field(() => Int, { description: 'Since its last checkpoint.' })
  readonly attempts!: number;

  @Field(() => Int, { nullable: true })
  readonly trainedStep!: number | null;

  @Field(() => Int, { nullable: true })
  readonly checkpointStep!: number | null;

  @Field(() => DateTimeScalar)
  readonly queuedAt!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What is wrong with it, so that nobody can work on it.',
  })
  readonly problem!: string | null;
}

@ObjectType()
export class JobQueueDepth {
  @Field(() => PlacementName)
  readonly placement!: JobRecord['placement'];

  @Field(() => Int)
  readonly waiting!: number;

  @Field(() => Int)
  readonly running!: number;
}

@ObjectType()
export class JobList {
  @Field(() => [Job], { description: 'Oldest first.' })
  readonly jobs!: Job[];

  @Field(() => [JobQueueDepth])
  readonly queues!: JobQueueDepth[];
}

@ObjectType('DeadLetter', { description: 'A message that could not be handled, kept as it came.' })
export class DeadLetterInfo implements DeadLetter {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => MessageKindName)
  readonly kind!: DeadLetter['kind'];

  @Field(() => String, { description: 'Where it was published.' })
  readonly subject!: string;

  @Field(() => String, { description: 'Whose it could not be.' })
  readonly durable!: string;

  @Field(() => String)
  readonly code!: string;

  @Field(() => String)
  readonly reason!: string;

  @Field(() => Int)
  readonly deliveries!: number;

  @Field(() => Int)
  readonly bytes!: number;

  @Field(() => String, { description: 'Run, teacher or stream.' })
  readonly about!: string;

  @Field(() => DateTimeScalar)
  readonly at!: string;
}

@ObjectType()
export class DeadLetterPage {
  @Field(() => [DeadLetterInfo], { description: 'Newest first.' })
  readonly letters!: DeadLetterInfo[];

  @Field(() => Boolean)
  readonly hasMore!: boolean;

  @Field(() => Int)
  readonly total!: number;
}

@ObjectType()
export class GarbageStream {
  @Field(() => ID)
  readonly key!: string;

  @Field(() => Float)
  readonly bytes!: number;
}

@ObjectType()
export class GarbageArtifact {
  @Field(() => ID, { description: 'sha-256.' })
  readonly digest!: string;

  @Field(() => Float)
  readonly bytes!: number;
}

@ObjectType('Garbage', { description: 'What nothing refers to.' })
export class GarbageInfo implements Garbage {
  @Field(() => [GarbageStream], { description: 'That no run reads: their frames can be made again.' })
  readonly streams!: GarbageStream[];

  @Field(() => [GarbageArtifact], { description: 'Checkpoints, weights, tables.' })
  readonly artifacts!: GarbageArtifact[];

  @Field(() => [ID], {
    description: 'Positions of trainings that ended well, or are of no run and no teacher.',
  })
  readonly positions!: string[];

  @Field(() => Float)
  readonly bytes!: number;

  @Field(() => Boolean, { description: 'False: this is what would be removed.' })
  readonly removed!: boolean;
}
