import type { ListedEndpoint } from '../../upstream/discovery/listed-endpoint.ts';
import { endpointsOfSrv, type SrvRecord } from '../../upstream/discovery/srv.ts';
import { Question } from './question.ts';
import type { LeftOut, Listing, SourceState } from './source.ts';
import type { NameOptions, NameParts } from './watched-name.ts';

export interface SrvOptions {
  /** `_http._tcp.api.internal` */
  readonly service: string;
  /** The endpoints speak TLS. */
  readonly secure: boolean;
}

/** The endpoints that the SRV records of one service name (RFC 2782). */
export class SrvListing implements Listing {
  readonly key: string;
  readonly text: string;
  readonly leftOut: readonly LeftOut[] = [];
  readonly #question: Question<SrvRecord>;
  readonly #secure: boolean;

  constructor(key: string, { service, secure }: SrvOptions, { names, ...parts }: NameParts & { names: NameOptions }) {
    this.key = key;
    this.text = `srv ${service}`;
    this.#secure = secure;
    this.#question = new Question<SrvRecord>({
      ask: () => parts.lookup.services(service, names.servers),
      rules: names.rules,
      textOf: ({ target, port, priority, weight }) => [priority, target.toLowerCase(), port, weight].join(' '),
      clock: parts.clock,
      random: parts.random,
      heard: (items) => parts.heard(this, items),
    });
  }

  get entries(): readonly ListedEndpoint[] {
    return endpointsOfSrv(this.#question.items, this.#secure);
  }

  get state(): SourceState {
    return this.#question;
  }

  begin(): void {
    this.#question.begin();
  }

  end(): void {
    this.#question.end();
  }
}
