import { type Complaint, type Diagnostic, diagnosticAt } from '../../config/config-error.ts';
import type { TestFile } from '../../config/load-tests.ts';
import type { Origins } from '../../config/origins.ts';
import type { Config } from '../../config/schema/config.ts';
import type { Expectation, RouteTest } from '../../config/schema/route-tests.ts';
import { closest, didYouMean, enumerate } from '../../config/suggest.ts';
import type { KeyPath } from '../complaints.ts';
import { type Question, type QuestionInput, readQuestion } from '../explain/question.ts';
import { concealer } from '../explain/secrets.ts';

/** A request, and what is expected to become of it. */
export interface TestCase {
  /** The one that was given, or the request: `GET https://shop.example/api`. */
  readonly name: string;
  /** `routes/shop.yaml:12`. */
  readonly at: string;
  readonly question: Question;
  readonly expected: Expectation;
  /** The route that it stands beside, by its number in the configuration; `null` for one of a file of tests. */
  readonly beside: number | null;
  /** A text without the secrets that the test was given: what `${…}` has filled in, and credentials. */
  readonly hide: (text: string) => string;
  /** Where an expectation is written. */
  readonly where: (key: keyof Expectation & string) => string;
}

export interface Collected {
  readonly cases: readonly TestCase[];
  /** What can't be asked or expected: names that do not exist, requests that are none. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Every test there is: those beside the routes, then those of the files. */
export function collectTests(
  { config, origins }: { config: Config; origins: Origins },
  files: readonly TestFile[],
): Collected {
  const collection = new Collection(config);
  for (const [index, route] of config.routes.entries()) {
    for (const [number, test] of (route.tests ?? []).entries()) {
      collection.add(test, { origins, path: ['routes', index, 'tests', number], beside: index });
    }
  }
  for (const file of files) {
    for (const [number, test] of file.tests.entries()) {
      collection.add(test, { origins: file.origins, path: [number], beside: null });
    }
  }
  return collection;
}

interface Place {
  readonly origins: Origins;
  readonly path: KeyPath;
  readonly beside: number | null;
}

class Collection implements Collected {
  readonly cases: TestCase[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #names: Readonly<Record<'route' | 'pool' | 'listener', readonly string[]>>;

  constructor({ routes, pools, listeners }: Config) {
    this.#names = {
      route: routes.flatMap(({ name }) => name ?? []),
      pool: Object.keys(pools),
      listener: Object.keys(listeners),
    };
  }

  add(test: RouteTest, place: Place): void {
    const { request, expect } = test;
    const before = this.diagnostics.length;
    const read = readQuestion(inputOf(request));
    if (!read.ok) this.#complain(place, ['request', ...keysOf(read.pointer)], { message: read.message });
    if (typeof expect.route === 'string') this.#known('route', expect.route, place, ['expect', 'route']);
    for (const [i, pool] of (expect.pool === false ? [] : (expect.pool ?? [])).entries()) {
      this.#known('pool', pool, place, ['expect', 'pool', i]);
    }
    if (request.listener !== undefined) this.#known('listener', request.listener, place, ['request', 'listener']);
    if (!read.ok || this.diagnostics.length > before) return;
    const { origins, path, beside } = place;
    const hide = (text: string): string => concealer(origins)(path, text);
    this.cases.push({
      name: hide(test.name ?? `${request.method} ${request.url}`),
      hide,
      at: origins.where(path),
      question: read.question,
      expected: expect,
      beside,
      where: (key) => origins.where([...path, 'expect', key]),
    });
  }

  #known(kind: 'route' | 'pool' | 'listener', name: string, place: Place, keys: KeyPath): void {
    const names = this.#names[kind];
    // Routes without a name are called by file and line.
    if (names.includes(name) || (kind === 'route' && /:\d+$/.test(name))) return;
    const near = closest(name, names);
    const there =
      names.length === 0
        ? `no ${kind} has a name`
        : `there ${names.length === 1 ? 'is' : 'are'} ${enumerate(names, 'and')}`;
    const message = `${kind} “${name}” does not exist`;
    this.#complain(place, keys, { code: 'HG0103', message, suggestion: near === null ? there : didYouMean(near) });
  }

  #complain({ origins, path }: Place, keys: KeyPath, complaint: Complaint): void {
    const at = [...path, ...keys];
    const message = origins.withoutSecrets(at, complaint.message);
    this.diagnostics.push(diagnosticAt(origins.at(at), { ...complaint, message }));
  }
}

function inputOf({ sni, certificate, client, listener, body, ...request }: RouteTest['request']): QuestionInput {
  return {
    ...request,
    ...(client === undefined ? {} : { client }),
    ...(listener === undefined ? {} : { listener }),
    ...(sni === undefined ? {} : { sni }),
    ...(body === undefined ? {} : { body }),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** Of a JSON pointer (RFC 6901 §4). */
function keysOf(pointer: string): readonly string[] {
  const [, ...keys] = pointer.split('/');
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
