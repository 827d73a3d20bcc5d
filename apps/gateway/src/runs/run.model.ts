import { Field, Float, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import {
  executionSchema,
  runStates,
  stageNames,
  type DatasetRef,
  type Execution,
  type ExperimentSpec,
  type ProducerFingerprint,
  type RunRecord,
  type RunStage,
} from '@fidelis/contracts';
import { Failure } from '../graphql/error.model.js';
import { namesOf } from '../graphql/names-of.js';
import { DateTimeScalar, JsonScalar } from '../graphql/scalars.js';

export const RunState = namesOf(runStates);
registerEnumType(RunState, {
  name: 'RunState',
  description: 'preparing → queued → training → evaluating → completed; any of them → failed or cancelled.',
});

const StageName = namesOf(stageNames);
registerEnumType(StageName, { name: 'StageName' });

const StageState = namesOf(['waiting', 'running', 'done', 'failed']);
registerEnumType(StageState, { name: 'StageState' });

@ObjectType({ description: 'One part of a run.' })
export class Stage implements RunStage {
  @Field(() => StageName)
  readonly name!: RunStage['name'];

  @Field(() => StageState)
  readonly state!: RunStage['state'];

  @Field(() => Float, { description: 'teacher and student: steps; stream: rows; evaluation: sets.' })
  readonly done!: number;

  @Field(() => Float)
  readonly total!: number;

  @Field(() => Boolean, { description: 'True if nothing had to be done: the teacher or the stream existed.' })
  readonly reused!: boolean;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly startedAt!: string | null;

  @Field(() => Float, { nullable: true })
  readonly seconds!: number | null;
}

type Progress = RunRecord['progress'];

@ObjectType({ description: "Where the student's training is." })
export class RunProgress implements Progress {
  @Field(() => Int)
  readonly step!: number;

  @Field(() => Int)
  readonly steps!: number;

  @Field(() => Int)
  readonly epoch!: number;

  @Field(() => Int)
  readonly epochs!: number;

  @Field(() => Float, { nullable: true })
  readonly loss!: number | null;

  @Field(() => Float, { nullable: true })
  readonly learningRate!: number | null;

  @Field(() => Float, { nullable: true })
  readonly imagesPerSecond!: number | null;

  @Field(() => Float, { description: 'Seconds that the student waited for the teacher.' })
  readonly waitSeconds!: number;
}

@ObjectType()
export class Dataset implements DatasetRef {
  @Field(() => String)
  readonly name!: string;

  @Field(() => String, { description: 'sha-256 over shape, type and bytes.' })
  readonly digest!: string;
}

@ObjectType({ description: 'What decides the bits of a result, beside spec and seed.' })
export class Producer implements ProducerFingerprint {
  @Field(() => String)
  readonly backend!: string;

  @Field(() => String)
  readonly backendVersion!: string;

  @Field(() => Int)
  readonly threads!: number;

  @Field(() => String)
  readonly platform!: string;
}

export const ExecutionMode = namesOf(executionSchema.shape.mode.options);
registerEnumType(ExecutionMode, {
  name: 'ExecutionMode',
  description: 'As graphs of the backend, or eagerly: one operation after the other.',
});

@ObjectType('Execution', { description: 'How the steps of a training ran.' })
export class ExecutionInfo implements Execution {
  @Field(() => ExecutionMode)
  readonly mode!: Execution['mode'];

  @Field(() => String, { nullable: true, description: 'Why not as graphs.' })
  readonly reason!: string | null;
}

type LineageRecord = RunRecord['lineage'];

@ObjectType({ description: 'What the student was made from, by digest.' })
export class Lineage implements LineageRecord {
  @Field(() => Dataset)
  readonly dataset!: Dataset;

  @Field(() => ID, { nullable: true })
  readonly teacherId!: string | null;

  @Field(() => String, { nullable: true })
  readonly teacherDigest!: string | null;

  @Field(() => String, { nullable: true })
  readonly streamKey!: string | null;

  @Field(() => String, { nullable: true })
  readonly weightsDigest!: string | null;

  @Field(() => Producer, { nullable: true })
  readonly producer!: Producer | null;

  @Field(() => Producer, {
    nullable: true,
    description: 'Who scored the frames that it was trained on. Null before the end of the training.',
  })
  readonly teacherProducer!: Producer | null;

  @Field(() => ExecutionInfo, { nullable: true, description: 'Null before the end of the training.' })
  readonly execution!: ExecutionInfo | null;
}

@ObjectType({
  description: 'Distinct steps (or chunks) of the logit stream: the three are the same in the end.',
})
export class Frames {
  @Field(() => Int, { description: 'Stored for this run.' })
  readonly published!: number;

  @Field(() => Int, { description: 'Taken in by its student.' })
  readonly consumed!: number;

  @Field(() => Int, { description: 'Trained on.' })
  readonly trained!: number;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the account closes; null before the end of the training, and of runs of before.',
  })
  readonly closed!: boolean | null;
}

@ObjectType({ description: 'One student trained once.' })
export class Run implements RunRecord {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => String)
  readonly name!: string;

  @Field(() => RunState)
  readonly state!: RunRecord['state'];

  @Field(() => JsonScalar, { description: 'The experiment spec, with its defaults.' })
  readonly spec!: ExperimentSpec;

  @Field(() => [Stage])
  readonly stages!: Stage[];

  @Field(() => RunProgress)
  readonly progress!: RunProgress;

  @Field(() => Lineage)
  readonly lineage!: Lineage;

  @Field(() => Frames)
  readonly frames!: Frames;

  @Field(() => Int, { description: 'How often a worker took the training up.' })
  readonly attempts!: number;

  @Field(() => Failure, { nullable: true })
  readonly error!: RunRecord['error'];

  @Field(() => String, { description: 'Joins the log lines of all services about this run.' })
  readonly correlationId!: string;

  @Field(() => DateTimeScalar)
  readonly createdAt!: string;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly startedAt!: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly endedAt!: string | null;
}
