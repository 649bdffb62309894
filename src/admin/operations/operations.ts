import { openApi } from '../open-api.ts';
import { type Operation, ok } from '../operation.ts';
import { anything } from '../schema.ts';
import { cacheOperations } from './cache.ts';
import { certificateOperations } from './certificates.ts';
import { configurationOperations } from './configuration.ts';
import { exchangeOperations } from './exchanges.ts';
import { explain } from './explain.ts';
import { gatewayOperations } from './gateway.ts';
import { healthOperations } from './health.ts';
import { pageOperations } from './pages.ts';
import { policyOperations } from './policies.ts';
import { upstreamOperations } from './upstream.ts';

let made: object | null = null;

const document: Operation = {
  id: 'document',
  method: 'GET',
  path: '/openapi.json',
  access: 'open',
  summary: 'This document',
  tag: 'gateway',
  answers: { 200: { description: 'OpenAPI 3.1', schema: anything } },
  run: async () => ok(openApiDocument()),
};

/** Everything that the admin listener can be asked. */
export const operations: readonly Operation[] = [
  ...healthOperations,
  ...gatewayOperations,
  ...configurationOperations,
  ...exchangeOperations,
  ...upstreamOperations,
  ...cacheOperations,
  ...certificateOperations,
  ...policyOperations,
  explain,
  document,
  ...pageOperations,
];

/** What says all of it to programs; made once. Also docs/openapi.json. */
export function openApiDocument(): object {
  made ??= openApi(operations);
  return made;
}
