import { getHeader } from '../../http/headers.ts';
import { parseMediaType } from '../../http/media-type.ts';
import type { RouteRequest, ValueTest } from '../route.ts';
import { type BodyCondition, type BodyScope, condition, UNSAID, valuesText } from './body-condition.ts';
import { type BodyMatch, valueHolds } from './body-match.ts';
import type { RequestMessage, Unsaid } from './request-message.ts';

export function xmlConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  const { root, namespace } = match.xml ?? {};
  return [
    ...elementCondition(match, 'xml root', root, ['xml', 'root'], scope, (body) => rootIn(body, 'local')),
    ...elementCondition(match, 'xml namespace', namespace, ['xml', 'namespace'], scope, (body) =>
      rootIn(body, 'namespace'),
    ),
  ];
}

export function soapConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  const { operation, namespace } = match.soap ?? {};
  return [
    ...elementCondition(match, 'soap operation', operation, ['soap', 'operation'], scope, (body) =>
      operationOf(body, 'local'),
    ),
    ...elementCondition(match, 'soap namespace', namespace, ['soap', 'namespace'], scope, (body) =>
      operationOf(body, 'namespace'),
    ),
  ];
}

/** What a name says, `null` for no name. */
type NamePart = { readonly text: string | null } | Unsaid;

function rootIn(body: RequestMessage, part: 'local' | 'namespace'): NamePart {
  const outline = body.xml();
  return typeof outline === 'string' ? outline : { text: outline.root[part] };
}

function operationOf(body: RequestMessage, part: 'local' | 'namespace'): NamePart {
  const outline = body.xml();
  if (typeof outline === 'string') return outline;
  const { operation } = outline;
  if (operation === 'cut') return body.isCutShort ? 'too-large' : 'malformed';
  if (operation === 'bad') return 'malformed';
  return { text: operation === 'none' ? null : operation[part] };
}

function elementCondition(
  match: BodyMatch,
  subject: string,
  test: ValueTest | undefined,
  key: readonly string[],
  scope: BodyScope,
  read: (body: RequestMessage) => NamePart,
): BodyCondition[] {
  const check = test === undefined ? null : scope.check(test, key);
  if (check === null) return [];
  const ask = (body: RequestMessage): boolean | Unsaid => {
    const part = read(body);
    return typeof part === 'string' ? part : valueHolds(part.text, check);
  };
  const actual = (body: RequestMessage): string => {
    const part = read(body);
    return typeof part === 'string' ? UNSAID[part] : valuesText([part.text]);
  };
  return [condition(match, [subject, check.wanted], ask, actual)];
}

export function soapActionCondition(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  const test = match.soap?.action;
  const check = test === undefined ? null : scope.check(test, ['soap', 'action']);
  if (check === null) return [];
  return [
    {
      subject: 'body soap action',
      wanted: check.wanted,
      holds: (request) => valueHolds(soapAction(request), check),
      actual: (request) => valuesText([soapAction(request)]),
    },
  ];
}

/** SOAP 1.1 §6.1.1, where it stands in quotes; SOAP 1.2 part 2 §6.5.3. */
function soapAction({ headers }: RouteRequest): string | null {
  const type = parseMediaType(getHeader(headers, 'content-type') ?? '');
  const action = type?.essence === 'application/soap+xml' ? type.parameters.get('action') : undefined;
  if (action !== undefined) return action;
  const field = getHeader(headers, 'soapaction');
  return field === null ? null : field.replace(/^"(.*)"$/, '$1');
}
