import type { Operation } from './operation.ts';

export type Found =
  | { readonly kind: 'operation'; readonly operation: Operation; readonly parameters: Readonly<Record<string, string>> }
  /** There is something, but not for this method: these are (RFC 9110 §15.5.6). */
  | { readonly kind: 'other-method'; readonly allow: readonly string[] }
  | { readonly kind: 'nothing' }
  /** A segment that can't be decoded. */
  | { readonly kind: 'bad-path' };

interface Place {
  /** Segments; a parameter is `{name}`. */
  readonly segments: readonly string[];
  readonly operations: readonly Operation[];
}

/** Nothing that is named in a path is longer: a percent-encoded origin whose host has 253 characters, or the path of a Unix socket. */
const LONGEST_NAME = 1024;

/** Which operation a request is for. Paths are few: they are tried one by one, in their order, literal ones before parameters. */
export class Router {
  readonly #places: readonly Place[];

  constructor(operations: readonly Operation[]) {
    const paths = [...new Set(operations.map(({ path }) => path))];
    this.#places = paths
      .map((path) => ({
        segments: path.split('/').slice(1),
        operations: operations.filter((operation) => operation.path === path),
      }))
      .sort((a, b) => parametersIn(a) - parametersIn(b));
  }

  /** `path` as it was sent, without the query. Takes nothing but origin-form (RFC 9112 §3.2.1). */
  find(method: string, path: string): Found {
    if (!path.startsWith('/')) return { kind: 'nothing' };
    const segments = path.split('/').slice(1);
    for (const place of this.#places) {
      const names = matched(place.segments, segments);
      if (names !== null) return this.#at(place, method, names);
    }
    return { kind: 'nothing' };
  }

  #at({ operations }: Place, method: string, names: readonly (readonly [string, string])[]): Found {
    const wanted = method === 'HEAD' ? 'GET' : method;
    const operation = operations.find((candidate) => candidate.method === wanted);
    if (operation === undefined) {
      return {
        kind: 'other-method',
        allow: operations.flatMap((known) => (known.method === 'GET' ? ['GET', 'HEAD'] : [known.method])),
      };
    }
    const parameters: Record<string, string> = {};
    for (const [name, encoded] of names) {
      const decoded = encoded.length > LONGEST_NAME ? null : decodedName(encoded);
      if (decoded === null) return { kind: 'bad-path' };
      parameters[name] = decoded;
    }
    return { kind: 'operation', operation, parameters };
  }
}

function parametersIn({ segments }: Place): number {
  return segments.filter(isParameter).length;
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

/** Names and encoded values of the parameters; `null` for another path. */
function matched(
  pattern: readonly string[],
  segments: readonly string[],
): readonly (readonly [string, string])[] | null {
  if (pattern.length !== segments.length) return null;
  const names: (readonly [string, string])[] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (isParameter(part)) {
      if (segment === '') return null;
      names.push([part.slice(1, -1), segment]);
    } else if (part !== segment) return null;
  }
  return names;
}

function decodedName(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // URIError: a stray percent sign, or bytes that are no UTF-8.
    return null;
  }
}
