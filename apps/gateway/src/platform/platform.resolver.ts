import { Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { VERSION } from '../version.js';

@ObjectType({ description: 'This installation.' })
export class Platform {
  @Field(() => String)
  readonly version!: string;
}

@Resolver()
export class PlatformResolver {
  @Query(() => Platform)
  platform(): Platform {
    return { version: VERSION };
  }
}
