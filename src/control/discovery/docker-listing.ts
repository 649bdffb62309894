import type { Clock } from '../../clock.ts';
import { GatewayError } from '../../errors.ts';
import { type ContainerRules, verdictsOnContainers } from '../../upstream/discovery/containers.ts';
import type { Asked, Trouble } from '../../upstream/discovery/known-answer.ts';
import { type ListedEndpoint, listedText } from '../../upstream/discovery/listed-endpoint.ts';
import type { HttpClient } from '../http-client.ts';
import type { HttpStream } from '../http-stream.ts';
import { DockerEvents } from './docker-events.ts';
import { Question } from './question.ts';
import type { Heard, LeftOut, Listing, SourceState } from './source.ts';

export interface DockerOptions extends ContainerRules {
  readonly at: { readonly socketPath: string } | { readonly url: string };
  /** `headgate.pool=shop`: containers that have it are meant. */
  readonly label: string;
}

export interface DockerParts {
  readonly http: HttpClient;
  readonly stream: HttpStream;
  readonly clock: Clock;
  readonly random: () => number;
  readonly heard: Heard;
}

const TIMEOUT_MS = 5_000;
/** Containers have about 2 KB each in the list. */
const MOST_BYTES = 8 * 1024 ** 2;
/** Events tell of every change; this is for what they might miss. */
const LOOK_MS = 30_000;
/** While no events come. */
const BLIND_LOOK_MS = 5_000;
/** While the engine can't be asked, its containers may well go on: the last list holds. No containers are none. */
const RULES = { minMs: 1_000, maxMs: LOOK_MS, staleMs: null, goneMs: 0 } as const;
/** Not every one: a health check inside a container makes three for each time it runs. */
const EVENTS = ['start', 'die', 'pause', 'unpause', 'destroy', 'rename', 'update', 'health_status'];

/**
 * The containers of a Docker engine that have a label. Reads only: `GET /containers/json` and `GET /events`. Without a version in
 * the path, since each engine refuses those that are too old or too new for it, and what is read here is the same in all.
 */
export class DockerListing implements Listing {
  readonly key: string;
  readonly text: string;
  leftOut: readonly LeftOut[] = [];
  readonly #question: Question<ListedEndpoint>;
  readonly #events: DockerEvents;
  readonly #options: DockerOptions;
  readonly #http: HttpClient;
  #begun = false;

  constructor(key: string, options: DockerOptions, parts: DockerParts) {
    const { http, stream, heard, ...rest } = parts;
    this.key = key;
    this.text = `docker ${options.label}`;
    this.#options = options;
    this.#http = http;
    this.#question = new Question<ListedEndpoint>({
      ask: () => this.#list(),
      rules: RULES,
      textOf: listedText,
      heard: (items) => heard(this, items),
      ...rest,
    });
    this.#events = new DockerEvents({
      ...this.#place('/events', { label: [options.label], type: ['container'], event: EVENTS }),
      stream,
      stirred: () => this.#question.again(),
      ...rest,
    });
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
    this.#events.begin();
    this.#question.begin();
  }

  end(): void {
    this.#begun = false;
    this.#events.end();
    this.#question.end();
  }

  #place(path: string, filters: object): { readonly url: string; readonly socketPath: string | null } {
    const { at } = this.#options;
    const query = `${path}?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    if ('socketPath' in at) return { url: `http://docker${query}`, socketPath: at.socketPath };
    return { url: `${at.url}${query}`, socketPath: null };
  }

  async #list(): Promise<Asked<ListedEndpoint>> {
    const place = this.#place('/containers/json', { label: [this.#options.label], status: ['running'] });
    const limits = { timeoutMs: TIMEOUT_MS, limitBytes: MOST_BYTES };
    try {
      const { status, body } = await this.#http({
        ...place,
        ...limits,
        method: 'GET',
        headers: [],
        body: null,
        ca: null,
      });
      if (status !== 200) return failed('unexpected-status', `${this.text}: status ${status}`);
      const verdicts = verdictsOnContainers(JSON.parse(Buffer.from(body).toString()), this.#options);
      if (verdicts === null) return failed('malformed-answer', `${this.text}: no list of containers`);
      this.leftOut = verdicts.flatMap((verdict) =>
        'leftOut' in verdict ? [{ what: verdict.name, reason: verdict.leftOut }] : [],
      );
      const items = verdicts.flatMap((verdict) => ('endpoint' in verdict ? [verdict.endpoint] : []));
      return { kind: 'found', items, ttlMs: this.#events.listening ? LOOK_MS : BLIND_LOOK_MS };
    } catch (error) {
      if (!(error instanceof GatewayError)) return failed('malformed-answer', `${this.text}: no JSON`);
      return failed(error.reason, `${this.text}: ${causeOf(error)}`);
    }
  }
}

function failed(reason: string, detail: string): Trouble {
  return { kind: 'failed', reason, detail };
}

/** `EACCES` says what to mend, `connect-failed` does not. */
function causeOf({ cause, reason }: GatewayError): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : reason;
}
