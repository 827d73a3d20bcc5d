import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Query, Req, Res, UseFilters } from '@nestjs/common';
import { LogitLog } from '@fidelis/bus';
import {
  FidelisError,
  parseStrict,
  streamKeySchema,
  streamRpc,
  type StreamDetails,
} from '@fidelis/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HttpFailuresFilter } from '../http/http-failures.filter.js';
import { PlatformClient } from '../lookups/platform-client.js';
import { frameRecords, FRAMES_MEDIA_TYPE } from './frame-records.js';

const step = z.coerce.number().int().min(0);
const rangeSchema = z.strictObject({ from: step.optional(), to: step.optional() });

/** The frames of a stored stream, for whoever makes files of them. */
@Controller('streams')
@UseFilters(HttpFailuresFilter)
export class FramesController {
  constructor(
    @Inject(PlatformClient) private readonly platform: PlatformClient,
    @Inject(LogitLog) private readonly log: LogitLog,
  ) {}

  @Get(':key/frames')
  async frames(
    @Param('key') key: string,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    parseStrict(streamKeySchema, key);
    const asked = parseStrict(rangeSchema, query);
    const details = await this.platform.call(streamRpc.get, { key }, request.id);
    const { from, to } = storedRange(details, asked);
    const gone = new AbortController();
    request.raw.socket.once('close', () => gone.abort());
    const frames = this.log.read(key, {
      parts: details.stream.parts,
      fromStep: from,
      toStep: to,
      signal: gone.signal,
    });
    await reply.type(FRAMES_MEDIA_TYPE).send(Readable.from(frameRecords(frames)));
  }
}

/** @throws FidelisError STREAM.EXPIRED, STREAM.GONE, REQUEST.INVALID where the steps are not all there */
export function storedRange(
  { stream, firstStep }: Pick<StreamDetails, 'stream' | 'firstStep'>,
  {
    from = firstStep,
    to = stream.publishedSteps,
  }: { readonly from?: number | undefined; readonly to?: number | undefined },
): { readonly from: number; readonly to: number } {
  const { key, state, publishedSteps } = stream;
  if (state === 'expired' || publishedSteps <= firstStep) {
    throw new FidelisError(
      state === 'expired' ? 'STREAM.EXPIRED' : 'STREAM.GONE',
      `stream ${key} is ${state} and has no frames at the moment: a run on it has its teacher produce them again`,
      { details: { key, state } },
    );
  }
  if (from >= firstStep && to <= publishedSteps && from < to) return { from, to };
  throw new FidelisError(
    from < firstStep ? 'STREAM.GONE' : 'REQUEST.INVALID',
    `stream ${key} has steps ${firstStep} to ${publishedSteps - 1}, and ${from} to ${to - 1} were asked for`,
    { details: { key, from, to, firstStep, publishedSteps } },
  );
}
