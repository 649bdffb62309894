import type { BodyMatch } from './body/body-match.ts';
import { type Network, parseNetwork } from './client-list.ts';
import { type CompiledPath, compilePath } from './path-pattern.ts';
import { remembered } from './remembered.ts';
import type { PathMatch, RouteMatch, ValueTest } from './route.ts';

/**
 * What is known of every request that some matching objects all hold for: their conditions side by side, with `all` flattened.
 * Each inner list of names or networks says "one of these"; all inner lists hold at once.
 */
export interface Facts {
  readonly sources: readonly RouteMatch[];
  readonly hosts: readonly (readonly string[])[];
  readonly sni: readonly (readonly string[])[];
  readonly methods: readonly (readonly string[])[];
  readonly clients: readonly (readonly Network[])[];
  readonly paths: readonly CompiledPath[];
  readonly headers: readonly ValueFact[];
  readonly cookies: readonly ValueFact[];
  readonly query: readonly ValueFact[];
  readonly certificate: readonly ValueFact[];
  readonly bodies: readonly BodyMatch[];
  /** Of the bodies that can't be met but by what they say: by pointer. */
  readonly json: readonly ValueFact[];
  readonly anys: readonly (readonly RouteMatch[])[];
  readonly nots: readonly RouteMatch[];
}

export interface ValueFact {
  /** Lower case for headers. */
  readonly name: string;
  readonly test: ValueTest;
}

/** Facts of a conjunction. The matching objects must compile. */
export function factsOf(sources: readonly RouteMatch[]): Facts {
  const parts = flattened(sources);
  return {
    sources,
    hosts: parts.flatMap((part) => (part.host === undefined ? [] : [part.host])),
    sni: parts.flatMap((part) => (part.sni === undefined ? [] : [part.sni])),
    methods: parts.flatMap((part) => (part.method === undefined ? [] : [part.method])),
    clients: parts.flatMap((part) => (part.client === undefined ? [] : [networksOf(part.client)])),
    paths: parts.flatMap((part) => (part.path === undefined ? [] : [pathOf(part.path)])),
    headers: parts.flatMap((part) => headerFacts(part.headers)),
    cookies: parts.flatMap((part) => valueFacts(part.cookies)),
    query: parts.flatMap((part) => valueFacts(part.query)),
    certificate: parts.flatMap((part) => valueFacts(part.clientCertificate)),
    bodies: parts.flatMap((part) => (part.body === undefined ? [] : [part.body])),
    json: parts.flatMap(({ body }) => (body === undefined || hasOtherWays(body) ? [] : valueFacts(body.json))),
    anys: parts.flatMap((part) => (part.any === undefined ? [] : [part.any])),
    nots: parts.flatMap((part) => (part.not === undefined ? [] : [part.not])),
  };
}

function flattened(sources: readonly RouteMatch[]): readonly RouteMatch[] {
  return sources.flatMap((source) => (source.all === undefined ? [source] : [source, ...flattened(source.all)]));
}

/** It is also met by a body that says something else, or nothing. */
function hasOtherWays({ whenTooLarge, whenMalformed }: BodyMatch): boolean {
  return whenTooLarge !== 'no-match' || whenMalformed !== 'no-match';
}

/** Conditions on header fields, names in lower case. */
export function headerFacts(tests: RouteMatch['headers']): readonly ValueFact[] {
  return valueFacts(tests).map(({ name, test }) => ({ name: name.toLowerCase(), test }));
}

export function valueFacts(tests: RouteMatch['headers']): readonly ValueFact[] {
  return tests === undefined ? [] : Object.entries(tests).map(([name, test]) => ({ name, test }));
}

/** The values that a test can be met by, or `null` when there is no end to them. */
export function finiteValues(test: ValueTest): readonly string[] | null {
  if (test.kind === 'exact') return [test.value];
  return test.kind === 'oneOf' ? test.values : null;
}

/** The compiled form of a path condition that is known to compile. */
export const pathOf = remembered((match: PathMatch): CompiledPath => {
  const result = compilePath(match);
  if (result.ok) return result.path;
  throw new TypeError(`Cannot compile ${result.message}`);
});

/** The networks of a client list that is known to compile. */
export const networksOf = remembered((list: readonly string[]): readonly Network[] =>
  list.flatMap((text) => {
    const result = parseNetwork(text);
    return result.ok ? [result.network] : [];
  }),
);
