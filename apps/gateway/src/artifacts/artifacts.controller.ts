import { Readable } from 'node:stream';
import { Controller, Get, Head, Inject, Param, Put, Req, Res, UseFilters } from '@nestjs/common';
import { ArtifactStore } from '@fidelis/bus';
import { digestSchema, FidelisError, parseStrict } from '@fidelis/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { isSameOrigin } from '../graphql/same-origin.js';
import { HttpFailuresFilter } from '../http/http-failures.filter.js';

export const BYTES_MEDIA_TYPE = 'application/octet-stream';

/** Blobs that are too large for GraphQL: tables of logits, files of streams. Each has its sha-256 for a name, and is what its name says. */
@Controller('artifacts')
@UseFilters(HttpFailuresFilter)
export class ArtifactsController {
  constructor(
    @Inject(ArtifactStore) private readonly artifacts: ArtifactStore,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** Nothing is kept of a body that is cut off, or that has another digest. */
  @Put(':digest')
  async put(
    @Param('digest') digest: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    parseStrict(digestSchema, digest);
    requireSameOrigin(request);
    const { body } = request;
    if (!(body instanceof Readable)) {
      throw new FidelisError('REQUEST.INVALID', `the body of an artifact has the type ${BYTES_MEDIA_TYPE}`);
    }
    const bytes = await this.artifacts.putStream(
      digest,
      limited(body, this.config.FIDELIS_UPLOAD_LIMIT_BYTES),
    );
    await reply.status(201).send({ digest, bytes });
  }

  /** Before GET, of which Fastify would make a HEAD by itself that reads the whole blob. */
  @Head(':digest')
  async head(@Param('digest') digest: string, @Res() reply: FastifyReply): Promise<void> {
    parseStrict(digestSchema, digest);
    const bytes = await this.artifacts.size(digest);
    if (bytes === undefined) {
      await reply.status(404).send();
      return;
    }
    await reply.type(BYTES_MEDIA_TYPE).header('content-length', bytes).send();
  }

  @Get(':digest')
  async get(@Param('digest') digest: string, @Res() reply: FastifyReply): Promise<void> {
    parseStrict(digestSchema, digest);
    const [bytes, chunks] = [await this.artifacts.size(digest), await this.artifacts.stream(digest)];
    await reply
      .type(BYTES_MEDIA_TYPE)
      .header('content-length', bytes ?? 0)
      .send(Readable.from(chunks));
  }
}

/** A page from elsewhere must not write with the rights of whoever looks at it. */
function requireSameOrigin(request: FastifyRequest): void {
  if (isSameOrigin(request.headers)) return;
  throw new FidelisError(
    'REQUEST.INVALID',
    'artifacts are taken from programs and from pages of this gateway alone',
  );
}

async function* limited(body: Readable, limit: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > limit) {
      throw new FidelisError(
        'REQUEST.TOO_COMPLEX',
        `the body has more than ${limit} bytes: raise FIDELIS_UPLOAD_LIMIT_BYTES of the gateway, or send less`,
      );
    }
    yield chunk;
  }
}
