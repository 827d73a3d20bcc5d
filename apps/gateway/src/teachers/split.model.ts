import { registerEnumType } from '@nestjs/graphql';
import { splitSchema } from '@fidelis/contracts';
import { namesOf } from '../graphql/names-of.js';

export const Split = namesOf(splitSchema.options);
registerEnumType(Split, { name: 'Split' });
