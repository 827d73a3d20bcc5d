import { Module } from '@nestjs/common';
import { ErrorReporter } from './graphql/error-reporter.js';
import { PlatformClient } from './lookups/platform-client.js';

/** What GraphQL over HTTP and over WebSocket share: the calls to the services, and the mapper of errors. */
@Module({ providers: [PlatformClient, ErrorReporter], exports: [PlatformClient, ErrorReporter] })
export class EdgeModule {}
