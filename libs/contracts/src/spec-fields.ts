import { z } from 'zod';

/** Fields that many parts of a spec have. */
export const seedField = z.int().min(0).max(0xffffffff);
export const countField = z.int().positive();
export const fractionField = z.number().min(0).max(1);
