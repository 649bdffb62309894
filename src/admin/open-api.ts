import type { Access, AnswerSchema, Operation, Tag } from './operation.ts';
import { component, type Schema } from './schema.ts';
import { cacheSchemas } from './schemas/cache.ts';
import { configurationSchemas } from './schemas/configuration.ts';
import { exchangeSchemas } from './schemas/exchanges.ts';
import { gatewaySchemas } from './schemas/gateway.ts';
import { upstreamSchemas } from './schemas/upstream.ts';

const schemas = { ...gatewaySchemas, ...configurationSchemas, ...exchangeSchemas, ...upstreamSchemas, ...cacheSchemas };

const TAGS: Readonly<Record<Tag, string>> = {
  health: 'Liveness, readiness, metrics',
  gateway: 'The gateway as a whole',
  configuration: 'What it is configured to do',
  exchanges: 'Exchanges that ended lately',
  upstream: 'Pools and endpoints',
  policies: 'Live state of policies',
  cache: 'What is stored',
  certificates: 'Certificates of listeners',
};

/** Refusals that come before an operation runs, by who may ask. */
const EVERYWHERE: Readonly<Record<number, string>> = {
  400: 'What was sent is not understood: `field` or `parameter` says what of it',
  421: 'The listener is for this machine alone, and was asked for under a name that is not its',
  429: 'Too many requests, or too many wrong tokens: `Retry-After` says when to come again',
  500: 'A bug: the log has more',
};
const WITH_TOKEN: Readonly<Record<number, string>> = {
  401: 'This needs the token',
  403: 'There is no token, and the listener can be reached from other machines',
};
const CHANGES: Readonly<Record<number, string>> = {
  403: 'A page of another origin asks, or there is no token and the listener can be reached from other machines',
  413: 'The body is longer than 16 KiB',
  415: 'Changes are sent as application/json',
};

/** Of the API: its first number changes when something goes, its second when something comes. */
const VERSION = '1.0.0';

/** The document of `operations` (OpenAPI 3.1). */
export function openApi(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? parametersOf(operation.path);
    path[operation.method.toLowerCase()] = operationObject(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Headgate admin API',
      version: VERSION,
      description:
        'Reads and changes a running gateway. Every refusal is JSON: error, message, and field or parameter where one is to blame. Clients must bear properties that they do not know.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:4600', description: 'Unless configured otherwise' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'admin.token or admin.tokenFile of the configuration' },
      },
    },
  };
}

function operationObject({ id, summary, tag, access, query = {}, body, answers, refusals, method }: Operation): object {
  const parameters = Object.entries(query).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', schema },
    ...(description === undefined ? {} : { description }),
  }));
  return {
    operationId: id,
    summary,
    tags: [tag],
    // An empty one: it goes without, where there is no token, or on this machine.
    security: access === 'open' ? [] : [{}, { token: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined || method === 'GET' ? {} : { requestBody: requestBody(body) }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerObject(answer)])),
      ...Object.fromEntries(
        Object.entries({ ...EVERYWHERE, ...refusalsBy(access), ...refusals })
          .filter(([status]) => !(status in answers))
          .map(([status, description]) => [status, refusalObject(description)]),
      ),
    },
  };
}

function refusalsBy(access: Access): Readonly<Record<number, string>> {
  if (access === 'open') return {};
  return access === 'change' ? { ...WITH_TOKEN, ...CHANGES } : WITH_TOKEN;
}

function requestBody(schema: Schema): object {
  const isNeeded = (schema.required ?? []).length > 0;
  return {
    required: isNeeded,
    content: { 'application/json': { schema: { ...schema, additionalProperties: false } } },
  };
}

function answerObject({ description, schema, type }: AnswerSchema): object {
  if (schema !== undefined) return { description, content: { 'application/json': { schema } } };
  return { description, content: { [type ?? 'application/octet-stream']: {} } };
}

function refusalObject(description: string): object {
  return { description, content: { 'application/json': { schema: component('Refusal') } } };
}

function parametersOf(path: string): Record<string, object> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  if (names.length === 0) return {};
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  return { parameters };
}
