import { Field, ObjectType } from '@nestjs/graphql';
import type { ErrorWire } from '@fidelis/contracts';
import { JsonScalar } from './scalars.js';

@ObjectType({ description: 'Why something failed.' })
export class Failure implements Omit<ErrorWire, 'details'> {
  @Field(() => String, { description: 'Stable: meant for programs.' })
  readonly code!: ErrorWire['code'];

  @Field(() => String, { description: 'For people: what was wrong, and what to do next.' })
  readonly message!: string;

  @Field(() => Boolean, {
    description: 'Whether the same can succeed later without anybody changing anything.',
  })
  readonly retryable!: boolean;

  @Field(() => JsonScalar, { nullable: true })
  readonly details?: Record<string, unknown>;
}
