import { Field, Float, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import {
  CODECS,
  type CodecError,
  streamStates,
  streamWaits,
  type StreamDetails,
  type StreamProducer,
  type StreamRecord,
  type StreamRun,
  type StreamUsage,
  type ViewSpec,
} from '@fidelis/contracts';
import { Failure } from '../graphql/error.model.js';
import { namesOf } from '../graphql/names-of.js';
import { DateTimeScalar, JsonScalar } from '../graphql/scalars.js';
import { Producer } from '../runs/run.model.js';

const StreamState = namesOf(streamStates);
registerEnumType(StreamState, {
  name: 'StreamState',
  description:
    'opening, producing, then complete or failed; expired where the frames of a complete one had to make room: a run that wants them has them produced again.',
});
const StreamWait = namesOf(streamWaits);
registerEnumType(StreamWait, {
  name: 'StreamWait',
  description: 'pace: it is as far ahead of its runs as it goes; quota: there is no room for more frames.',
});
const CodecName = namesOf(CODECS);
registerEnumType(CodecName, { name: 'Codec' });

@ObjectType({ description: 'Who scored a part of a stream.' })
export class StreamProducerInfo implements StreamProducer {
  @Field(() => String, { description: 'Replica of teacher-svc, or where it was imported from.' })
  readonly instance!: string;

  @Field(() => Producer)
  readonly fingerprint!: Producer;

  @Field(() => Int, { description: 'Steps that it stored.' })
  readonly steps!: number;

  @Field(() => DateTimeScalar)
  readonly at!: string;
}

@ObjectType({ description: 'A run that reads a stream, and where it is.' })
export class StreamReader implements StreamRun {
  @Field(() => ID)
  readonly runId!: string;

  @Field(() => Int, { description: 'Steps that it reads.' })
  readonly steps!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Last step of its training; null before its first report.',
  })
  readonly trainedStep!: number | null;

  @Field(() => Int, { nullable: true, description: 'It would go on after this one if it was killed now.' })
  readonly checkpointStep!: number | null;
}

@ObjectType('CodecError', {
  description:
    "What rounding to the codec does to the teacher's answers: the members combined, at temperature 1.",
})
export class CodecErrorInfo implements CodecError {
  @Field(() => Float, { description: 'That it was measured on.' })
  readonly rows!: number;

  @Field(() => Float, { description: 'KL(f32 ‖ codec), in nats.' })
  readonly meanKl!: number;

  @Field(() => Float)
  readonly maxKl!: number;

  @Field(() => Float, { description: 'Rows whose most probable class is another.' })
  readonly argmaxFlips!: number;
}

/** What a stream is in GraphQL: its record, and what is known of it at the moment. */
export type StreamView = StreamRecord & Omit<StreamDetails, 'stream'>;

export function streamView({ stream, ...now }: StreamDetails): StreamView {
  return { ...stream, ...now };
}

@ObjectType({
  description: 'The logits of one teacher over one view, step by step, for any number of students.',
})
export class LogitStream implements StreamView {
  @Field(() => ID)
  readonly key!: string;

  @Field(() => String, { description: 'Of JetStream.' })
  readonly stream!: string;

  @Field(() => ID)
  readonly teacherId!: string;

  @Field(() => String)
  readonly teacherDigest!: string;

  @Field(() => JsonScalar, { description: 'What teacher and students see.' })
  readonly view!: ViewSpec;

  @Field(() => CodecName)
  readonly codec!: StreamRecord['codec'];

  @Field(() => Int)
  readonly members!: number;

  @Field(() => Int)
  readonly classes!: number;

  @Field(() => Int, { description: 'Steps of a sequence, or chunks of a table, that were asked for so far.' })
  readonly steps!: number;

  @Field(() => Int, { description: 'Frames of each step.' })
  readonly parts!: number;

  @Field(() => Int, { description: 'Rows of each part but the last of a step.' })
  readonly partRows!: number;

  @Field(() => StreamState)
  readonly state!: StreamRecord['state'];

  @Field(() => Int)
  readonly publishedSteps!: number;

  @Field(() => Float, { description: 'Bytes of all frames that were stored so far.' })
  readonly publishedBytes!: number;

  @Field(() => Int, { description: 'Of what is stored: the steps before it were purged.' })
  readonly firstStep!: number;

  @Field(() => Float, { description: 'Bytes that are stored now.' })
  readonly storedBytes!: number;

  @Field(() => Int, { description: 'How often it was begun anew because steps of it were gone.' })
  readonly incarnation!: number;

  @Field(() => StreamWait, { nullable: true, description: 'Why it does not grow at the moment.' })
  readonly waitsFor!: StreamRecord['waitsFor'];

  @Field(() => [StreamProducerInfo])
  readonly producers!: StreamProducerInfo[];

  @Field(() => CodecErrorInfo, { nullable: true, description: 'Null before the first step.' })
  readonly codecError!: CodecErrorInfo | null;

  @Field(() => Float, {
    description:
      "Seconds of the teacher's forward passes: of the processor, all threads together; on a GPU of the clock.",
  })
  readonly teacherSeconds!: number;

  @Field(() => Failure, { nullable: true })
  readonly error!: StreamRecord['error'];

  @Field(() => [StreamReader], { description: 'The runs on it, and the position of each.' })
  readonly runs!: StreamReader[];

  @Field(() => DateTimeScalar)
  readonly createdAt!: string;

  @Field(() => DateTimeScalar)
  readonly lastUsedAt!: string;
}

@ObjectType({ description: 'Of all logit streams together.' })
export class StreamUsageInfo implements StreamUsage {
  @Field(() => Float)
  readonly storedBytes!: number;

  @Field(() => Float, { nullable: true, description: 'Null: without limit.' })
  readonly quotaBytes!: number | null;
}

@ObjectType()
export class RemovedStream {
  @Field(() => ID)
  readonly key!: string;

  @Field(() => Float, { description: 'That were freed.' })
  readonly bytes!: number;
}
