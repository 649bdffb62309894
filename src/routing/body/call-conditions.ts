import { queryValues } from '../query.ts';
import { remembered } from '../remembered.ts';
import type { RouteRequest } from '../route.ts';
import { quoted, type ValueCheck } from '../value-test.ts';
import { type BodyCondition, type BodyScope, condition, UNSAID, valuesText } from './body-condition.ts';
import { type BatchRule, type BodyMatch, type GraphqlMatch, valueHolds } from './body-match.ts';
import { type GraphqlOperation, operationIn } from './graphql.ts';
import { type Batch, batchIn, type RequestMessage, type Unsaid } from './request-message.ts';

function holdsOfBatch<T>({ isBatch, items }: Batch<T>, rule: BatchRule, holds: (item: T) => boolean): boolean {
  if (items.length === 0 || (isBatch && rule === 'never')) return false;
  const holdsOf = (item: T | null): boolean => item !== null && holds(item);
  return rule === 'any' ? items.some(holdsOf) : items.every(holdsOf);
}

/** GraphQL over HTTP §5.3: a GET has its document in the query. */
const operationOfQuery = remembered(({ query }: RouteRequest): { readonly operation: GraphqlOperation | null } => {
  const [document] = queryValues(query, 'query');
  const [name = null] = queryValues(query, 'operationName');
  return { operation: document === undefined ? null : operationIn(document, name === '' ? null : name) };
});

export function graphqlConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  const { graphql } = match;
  if (graphql === undefined) return [];
  const checks = graphqlChecks(graphql, scope);
  if (checks === null) return [];
  const { wanted, holds } = checks;
  const ofBody = condition(
    match,
    ['graphql', wanted],
    (body) => {
      const calls = body.graphql();
      return typeof calls === 'string' ? calls : holdsOfBatch(calls, graphql.batch, holds);
    },
    (body) => {
      const calls = body.graphql();
      return typeof calls === 'string' ? UNSAID[calls] : calls.items.map(operationText).join(', ') || 'an empty batch';
    },
  );
  return [
    {
      ...ofBody,
      holds: (request) => {
        if (request.method !== 'GET') return ofBody.holds(request);
        const { operation } = operationOfQuery(request);
        return operation !== null && holds(operation);
      },
      actual: (request) =>
        request.method === 'GET' ? operationText(operationOfQuery(request).operation) : ofBody.actual(request),
    },
  ];
}

function graphqlChecks(
  { operation: types, name, field }: GraphqlMatch,
  scope: BodyScope,
): { readonly wanted: string; readonly holds: (operation: GraphqlOperation) => boolean } | null {
  const nameCheck = name === undefined ? undefined : scope.check(name, ['graphql', 'name']);
  const fieldCheck = field === undefined ? undefined : scope.check(field, ['graphql', 'field']);
  if (nameCheck === null || fieldCheck === null) return null;
  const wanted = [
    types === undefined ? 'any operation' : `a ${types.join(' or a ')}`,
    nameCheck === undefined ? '' : ` named ${nameCheck.wanted}`,
    fieldCheck === undefined ? '' : ` with field ${fieldCheck.wanted}`,
  ].join('');
  const fieldHolds = (check: ValueCheck, fields: ReadonlySet<string>): boolean =>
    check.wantsAbsent ? fields.size === 0 : [...fields].some((one) => check.accepts(one));
  const holds = (operation: GraphqlOperation): boolean =>
    (types === undefined || (operation.type !== null && types.includes(operation.type))) &&
    (nameCheck === undefined || valueHolds(operation.name, nameCheck)) &&
    (fieldCheck === undefined || fieldHolds(fieldCheck, operation.fields));
  return { wanted, holds };
}

function operationText(operation: GraphqlOperation | null): string {
  if (operation === null) return 'no operation';
  const { type, name, fields } = operation;
  const named = name === null ? '' : ` ${quoted(name)}`;
  return `${type ?? 'an operation'}${named}${fields.size === 0 ? '' : ` with ${[...fields].map(quoted).join(', ')}`}`;
}

export function jsonRpcConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  const { jsonRpc } = match;
  const check = jsonRpc === undefined ? null : scope.check(jsonRpc.method, ['jsonRpc', 'method']);
  if (jsonRpc === undefined || check === null) return [];
  const ask = (body: RequestMessage): boolean | Unsaid => {
    const document = body.json();
    if (typeof document === 'string') return document;
    return holdsOfBatch(batchIn(document, rpcMethod), jsonRpc.batch, (method) => valueHolds(method, check));
  };
  const actual = (body: RequestMessage): string => {
    const document = body.json();
    return typeof document === 'string' ? UNSAID[document] : valuesText(batchIn(document, rpcMethod).items);
  };
  return [condition(match, ['jsonRpc method', check.wanted], ask, actual)];
}

/** JSON-RPC 2.0 §4; `null` for what is no request of it. */
function rpcMethod(item: unknown): string | null {
  if (typeof item !== 'object' || item === null) return null;
  const { jsonrpc, method } = item as { jsonrpc?: unknown; method?: unknown };
  return jsonrpc === '2.0' && typeof method === 'string' ? method : null;
}
