import type { Clock } from '../../clock.ts';
import { parseEndpointsFile } from '../../config/endpoints-file.ts';
import type { Asked } from '../../upstream/discovery/known-answer.ts';
import { type ListedEndpoint, listedText } from '../../upstream/discovery/listed-endpoint.ts';
import { FileWatch } from '../certificates/file-watch.ts';
import { readNamedFileLater } from '../named-file.ts';
import { Question } from './question.ts';
import type { Heard, LeftOut, Listing, SourceState } from './source.ts';

/** A thousand endpoints have some 50 KB. */
const MOST_BYTES = 1024 ** 2;
/** For where no events come from, like network file systems. The watch looks as often for itself. */
const LOOK_MS = 60_000;
/** There is no wrong time to keep a list: the last good one holds for ever. An empty list is one. */
const RULES = { minMs: LOOK_MS, maxMs: LOOK_MS, staleMs: null, goneMs: 0 } as const;

/** The endpoints that a file lists, in the grammar of the configuration. Replaced or edited in place, it is read again. */
export class FileListing implements Listing {
  readonly key: string;
  readonly text: string;
  readonly leftOut: readonly LeftOut[] = [];
  readonly #question: Question<ListedEndpoint>;
  readonly #watch: FileWatch;
  #begun = false;

  constructor(key: string, path: string, parts: { clock: Clock; random: () => number; heard: Heard }) {
    this.key = key;
    this.text = `file ${path}`;
    this.#question = new Question<ListedEndpoint>({
      ask: () => readEndpoints(path),
      rules: RULES,
      textOf: listedText,
      clock: parts.clock,
      random: parts.random,
      heard: (items) => parts.heard(this, items),
    });
    this.#watch = new FileWatch({ paths: [path], clock: parts.clock, changed: () => this.#question.again() });
  }

  get entries(): readonly ListedEndpoint[] {
    return this.#question.items;
  }

  get state(): SourceState {
    return this.#question;
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#watch.start();
    this.#question.begin();
  }

  end(): void {
    this.#begun = false;
    this.#watch.stop();
    this.#question.end();
  }
}

async function readEndpoints(path: string): Promise<Asked<ListedEndpoint>> {
  const bytes = await readNamedFileLater(path).catch((error: NodeJS.ErrnoException) => error);
  if (bytes instanceof Error) {
    return { kind: 'failed', reason: 'unreadable-file', detail: `${path}: ${bytes.code ?? bytes.message}` };
  }
  if (bytes.length > MOST_BYTES) {
    return { kind: 'failed', reason: 'unreadable-file', detail: `${path}: it is larger than ${MOST_BYTES} bytes` };
  }
  const parsed = parseEndpointsFile(path, bytes.toString());
  if (parsed.ok) return { kind: 'found', items: parsed.endpoints, ttlMs: null };
  const [first] = parsed.diagnostics;
  const detail = first === undefined ? path : `${first.file}:${first.line}:${first.column}: ${first.message}`;
  return { kind: 'failed', reason: 'broken-file', detail };
}
