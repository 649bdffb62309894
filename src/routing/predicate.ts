import { cookieValue } from '../http/cookie.ts';
import { getHeaders, type HeaderList } from '../http/headers.ts';
import { compileBody } from './body/body-conditions.ts';
import type { BodyMatch } from './body/body-match.ts';
import { compileCidrs, parseNetwork } from './client-list.ts';
import { hostMatches } from './host-pattern.ts';
import { compilePath, pathMatches } from './path-pattern.ts';
import { queryHolds, queryValues } from './query.ts';
import type { PathMatch, RouteMatch, RouteRequest, ValueTest } from './route.ts';
import { compileValueTest, quoted, type ValueCheck } from './value-test.ts';

/** One compiled condition. Stateless and synchronous; `holds` is HOT and allocates at most the value it compares. */
export interface Predicate {
  /** What is looked at: `header x-beta`, `method`, `client`. */
  readonly subject: string;
  /** For people, after "wants". */
  readonly wanted: string;
  /** It may want a body that was not read. */
  readonly asksForBody: boolean;
  holds(request: RouteRequest): boolean;
  /** For people, after "is"; asked only when someone wants an explanation. */
  actual(request: RouteRequest): string;
}

export type Key = readonly (string | number)[];

/** What is wrong with a rule, and where. */
export interface RuleProblem {
  /** Lower case, no full stop. */
  readonly message: string;
  /** Keys from the match object to the offending value: `['client', 0]`, `['any', 1, 'headers', 'X-Beta']`. */
  readonly key: Key;
}

/** One matching object on its way to predicates: where it stands, and where problems go. */
interface Scope {
  readonly key: Key;
  readonly problems: RuleProblem[];
}

/**
 * Compiles every condition of `match` except `host` and `path`, cheapest first, so that a body is asked for only when nothing else decides.
 * `all` is flattened into the list: it is the same conjunction. Problems are added to `problems`, and what has one is left out.
 */
export function compilePredicates(match: RouteMatch, key: Key, problems: RuleProblem[]): readonly Predicate[] {
  const scope = { key, problems };
  const predicates = [
    ...methodPredicate(match.method),
    ...headerPredicates(match.headers, scope),
    ...queryPredicates(match.query, scope),
    ...cookiePredicates(match.cookies, scope),
    ...namePredicate('sni', match.sni, (request) => request.serverName),
    ...clientPredicate(match.client, scope),
    ...certificatePredicates(match.clientCertificate, scope),
    ...(match.all ?? []).flatMap((part, i) => compileNested(part, { key: [...key, 'all', i], problems })),
    ...anyPredicate(match.any, scope),
    ...notPredicate(match.not, scope),
    ...bodyPredicates(match.body, scope),
  ];
  return predicates.some((one) => one.asksForBody) ? bodyLast(predicates) : predicates;
}

/** In the order given, but for those that ask for the body. */
function bodyLast(predicates: readonly Predicate[]): readonly Predicate[] {
  return [...predicates.filter((one) => !one.asksForBody), ...predicates.filter((one) => one.asksForBody)];
}

/** Inside `all`, `any` and `not`, host and path are conditions like the others: they don't rank and don't capture. */
function compileNested(match: RouteMatch, scope: Scope): readonly Predicate[] {
  return [
    ...namePredicate('host', match.host, (request) => request.host),
    ...pathPredicate(match.path, scope),
    ...compilePredicates(match, scope.key, scope.problems),
  ];
}

/** Made in one place so that all predicates have one hidden class: the loop over them stays monomorphic up to the call. */
function predicate(
  subject: string,
  wanted: string,
  tests: Pick<Predicate, 'holds' | 'actual'> & Partial<Pick<Predicate, 'asksForBody'>>,
): Predicate {
  return { subject, wanted, asksForBody: tests.asksForBody ?? false, holds: tests.holds, actual: tests.actual };
}

function bodyPredicates(match: BodyMatch | undefined, { key, problems }: Scope): Predicate[] {
  if (match === undefined) return [];
  const conditions = compileBody(match, {
    check: (test, path) => checkOf(test, [...key, 'body', ...path], problems),
    problem: (message, path) => problems.push({ message, key: [...key, 'body', ...path] }),
  });
  return conditions.map((one) => predicate(one.subject, one.wanted, { ...one, asksForBody: true }));
}

function methodPredicate(methods: readonly string[] | undefined): Predicate[] {
  if (methods === undefined) return [];
  const actual = (request: RouteRequest): string => request.method;
  const [only] = methods;
  const holds =
    methods.length === 1
      ? (request: RouteRequest) => request.method === only
      : (request: RouteRequest) => methods.includes(request.method);
  return [predicate('method', oneOf(methods), { holds, actual })];
}

function headerPredicates(tests: RouteMatch['headers'], scope: Scope): Predicate[] {
  return compileTests(tests, 'headers', scope).map(([name, check]) => {
    const lower = name.toLowerCase();
    return predicate(`header ${lower}`, check.wanted, {
      holds: (request) => headerHolds(request.headers, lower, check),
      actual: (request) => listed(getHeaders(request.headers, lower)),
    });
  });
}

function queryPredicates(tests: RouteMatch['query'], scope: Scope): Predicate[] {
  return compileTests(tests, 'query', scope).map(([name, check]) =>
    predicate(`query ${name}`, check.wanted, {
      holds: (request) => queryHolds(request.query, name, check),
      actual: (request) => listed(queryValues(request.query, name)),
    }),
  );
}

function cookiePredicates(tests: RouteMatch['cookies'], scope: Scope): Predicate[] {
  return compileTests(tests, 'cookies', scope).map(([name, check]) =>
    predicate(`cookie ${name}`, check.wanted, {
      holds(request) {
        const value = cookieValue(request.headers, name);
        return value === null ? check.wantsAbsent : check.accepts(value);
      },
      actual(request) {
        const value = cookieValue(request.headers, name);
        return listed(value === null ? [] : [value]);
      },
    }),
  );
}

function namePredicate(
  subject: string,
  patterns: readonly string[] | undefined,
  read: (request: RouteRequest) => string | null,
): Predicate[] {
  if (patterns === undefined) return [];
  return [
    predicate(subject, oneOf(patterns), {
      holds(request) {
        const name = read(request);
        if (name === null) return false;
        for (const pattern of patterns) if (hostMatches(pattern, name)) return true;
        return false;
      },
      actual: (request) => read(request) ?? 'absent',
    }),
  ];
}

function pathPredicate(match: PathMatch | undefined, scope: Scope): Predicate[] {
  if (match === undefined) return [];
  const result = compilePath(match);
  if (!result.ok) {
    scope.problems.push({ message: result.message, key: [...scope.key, 'path'] });
    return [];
  }
  return [
    predicate('path', pathText(match), {
      holds: (request) => pathMatches(result.path, request.path),
      actual: (request) => request.path,
    }),
  ];
}

function clientPredicate(list: readonly string[] | undefined, scope: Scope): Predicate[] {
  if (list === undefined) return [];
  for (const [index, text] of list.entries()) {
    const result = parseNetwork(text);
    if (!result.ok) scope.problems.push({ message: result.message, key: [...scope.key, 'client', index] });
  }
  const contains = compileCidrs(list);
  if (contains === null) return [];
  const holds = (request: RouteRequest): boolean => contains(request.clientAddress);
  return [predicate('client', oneOf(list), { holds, actual: (request) => request.clientAddress })];
}

function certificatePredicates(tests: RouteMatch['clientCertificate'], scope: Scope): Predicate[] {
  return compileTests(tests, 'clientCertificate', scope).map(([name, check]) =>
    predicate(`client certificate ${name}`, check.wanted, {
      holds(request) {
        const values = certificateValues(request, name);
        if (check.wantsAbsent) return values.length === 0;
        return values.some((value) => check.accepts(value));
      },
      actual: (request) => listed(certificateValues(request, name)),
    }),
  );
}

function certificateValues({ clientCertificate }: RouteRequest, name: string): readonly string[] {
  if (clientCertificate === null) return [];
  if (name === 'san') return clientCertificate.names;
  return [name === 'subject' ? clientCertificate.subject : clientCertificate.fingerprint];
}

function anyPredicate(parts: readonly RouteMatch[] | undefined, scope: Scope): Predicate[] {
  if (parts === undefined) return [];
  const branches = parts.map((part, i) => compileNested(part, { ...scope, key: [...scope.key, 'any', i] }));
  const wanted = branches.map((branch) => `(${conjunctionText(branch)})`).join(' or ');
  const asks = (branch: readonly Predicate[]): boolean => branch.some((one) => one.asksForBody);
  const cheapest = [...branches.filter((branch) => !asks(branch)), ...branches.filter(asks)];
  return [
    predicate('any', wanted, {
      asksForBody: branches.some(asks),
      holds(request) {
        for (const branch of cheapest) if (allHold(branch, request)) return true;
        return false;
      },
      actual: (request) =>
        branches.map((branch) => describeMiss(firstMiss(branch, request), request)).join(' and ') || 'nothing',
    }),
  ];
}

function notPredicate(part: RouteMatch | undefined, scope: Scope): Predicate[] {
  if (part === undefined) return [];
  const inner = compileNested(part, { ...scope, key: [...scope.key, 'not'] });
  return [
    predicate('not', `anything but (${conjunctionText(inner)})`, {
      asksForBody: inner.some((one) => one.asksForBody),
      holds: (request) => !allHold(inner, request),
      actual: (request) => inner.map((one) => `${one.subject} ${one.actual(request)}`).join(' and ') || 'any request',
    }),
  ];
}

/** HOT. What one of them would refuse is refused only if the others hold too. */
export function allHold(predicates: readonly Predicate[], request: RouteRequest): boolean {
  const { body } = request;
  const refusal = body === null ? null : body.refusal;
  for (let i = 0; i < predicates.length; i += 1) {
    if ((predicates[i] as Predicate).holds(request)) continue;
    if (body !== null) body.refusal = refusal;
    return false;
  }
  return true;
}

export function firstMiss(predicates: readonly Predicate[], request: RouteRequest): Predicate | null {
  return predicates.find((one) => !one.holds(request)) ?? null;
}

function describeMiss(missed: Predicate | null, request: RouteRequest): string {
  return missed === null ? 'nothing' : `${missed.subject} ${missed.actual(request)}`;
}

function compileTests(
  tests: Readonly<Record<string, ValueTest>> | undefined,
  section: string,
  scope: Scope,
): (readonly [string, ValueCheck])[] {
  return Object.entries(tests ?? {}).flatMap(([name, test]) => {
    const check = checkOf(test, [...scope.key, section, name], scope.problems);
    return check === null ? [] : [[name, check] as const];
  });
}

/** `null` for a test that has a problem, which is told. */
function checkOf(test: ValueTest, key: Key, problems: RuleProblem[]): ValueCheck | null {
  const result = compileValueTest(test);
  if (result.ok) return result.check;
  const value = 'value' in test ? test.value : '';
  problems.push({ message: `"${value}" is not a regular expression (RE2): ${result.message}`, key });
  return null;
}

/** HOT. A repeated field passes if one line does (RFC 9110 §5.3 lets a sender split a list over lines). */
function headerHolds(headers: HeaderList, lower: string, check: ValueCheck): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (!isFieldName(headers[i] as string, lower)) continue;
    if (check.wantsAbsent) return false;
    if (check.accepts(headers[i + 1] as string)) return true;
  }
  return check.wantsAbsent;
}

/** As `isNamed` of `http/headers.ts`, without the string that `toLowerCase` makes of every other name of the same length. */
function isFieldName(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false;
  for (let i = 0; i < lower.length; i += 1) {
    const code = name.charCodeAt(i);
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** A path condition as one writes it. */
export function pathText(match: PathMatch | undefined): string {
  if (match === undefined) return '/**';
  if (match.kind === 'regex') return `a match of /${match.value}/`;
  return match.kind === 'prefix' ? `${match.value.replace(/\/$/, '')}/**` : match.value;
}

function conjunctionText(predicates: readonly Predicate[]): string {
  return predicates.map((one) => `${one.subject} ${one.wanted}`).join(' and ') || 'any request';
}

export function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : `one of ${values.join(', ')}`;
}

function listed(values: readonly string[]): string {
  return values.length === 0 ? 'absent' : values.map(quoted).join(', ');
}
