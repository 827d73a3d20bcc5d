import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createGateway, gatewayConfig } from '@fidelis/gateway';
import { createLogger, HealthRegistry } from '@fidelis/observability';

export interface GraphqlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: unknown;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: {
      readonly code: string;
      readonly retryable: boolean;
      readonly details?: Record<string, unknown>;
    };
  }[];
}

export interface RunningGateway {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly app: NestFastifyApplication;
  graphql(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<GraphqlAnswer>;
  stop(): Promise<void>;
}

export async function startGateway(
  natsUrl: string,
  environment: Record<string, string> = {},
): Promise<RunningGateway> {
  const config = gatewayConfig({ FIDELIS_NATS_URL: natsUrl, ...environment });
  const app = await createGateway(config, createLogger({ service: 'gateway', level: 'fatal' }));
  await app.listen(0, '127.0.0.1');
  app.get(HealthRegistry).setStarted();
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    webSocketUrl: `ws://127.0.0.1:${port}/graphql`,
    app,
    graphql: async (query, variables, headers) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      const body = (await response.json()) as Partial<GraphqlAnswer>;
      return {
        status: response.status,
        headers: response.headers,
        data: body.data ?? null,
        errors: body.errors ?? [],
      };
    },
    stop: () => app.close(),
  };
}
