import { Controller, Get, Header } from '@nestjs/common';
import { GRAPHQL_PATH } from '../graphql/graphql-options.js';

/** The page has everything inline; the policy makes sure that it asks nobody but this gateway. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'font-src data:',
  'img-src data:',
  "connect-src 'self'",
].join('; ');

/** GraphiQL without network: Mercurius's own page loads its parts from a CDN. */
@Controller('graphiql')
export class GraphiqlController {
  private page: Promise<string> | undefined;

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY_POLICY)
  show(): Promise<string> {
    this.page ??= renderPage();
    return this.page;
  }
}

async function renderPage(): Promise<string> {
  // 9 MB of source: loaded when somebody looks at it, not at every start.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL({ title: 'Fidelis GraphiQL', endpoint: GRAPHQL_PATH, subscriptionsProtocol: 'WS' });
}
