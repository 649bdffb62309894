import { hash } from 'node:crypto';
import type { HeaderList } from '../../http/headers.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointId } from '../identity.ts';
import { type Affinity, keepsSession, type SessionAnswer } from './affinity.ts';
import type { SessionSource } from './session-source.ts';
import type { SessionTable } from './session-table.ts';

/**
 * Sticky sessions by what the application has anyway: learned from its responses, kept in a table. The table holds digests: a
 * session's name is what gets one into it, and of one size.
 */
export class LearnedSession implements Affinity {
  readonly #source: SessionSource;
  readonly #table: SessionTable;
  readonly #members: ReadonlyMap<EndpointId, Endpoint>;

  constructor(source: SessionSource, table: SessionTable, endpoints: readonly Endpoint[]) {
    this.#source = source;
    this.#table = table;
    this.#members = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  }

  sessionOf(headers: HeaderList): string | null {
    return this.#keyOf(this.#source.ofRequest(headers));
  }

  pick(session: string, tried: readonly Endpoint[] | null, panicking: boolean): Endpoint | null {
    return this.#keeper(this.#table.at(session), tried, panicking);
  }

  peek(session: string, panicking: boolean): Endpoint | null {
    return this.#keeper(this.#table.peek(session), null, panicking);
  }

  #keeper(id: EndpointId | null, tried: readonly Endpoint[] | null, panicking: boolean): Endpoint | null {
    const endpoint = id === null ? undefined : this.#members.get(id);
    return endpoint !== undefined && keepsSession(endpoint, tried, panicking) ? endpoint : null;
  }

  answered({ id }: Endpoint, { session, headers }: SessionAnswer): null {
    const given = this.#keyOf(this.#source.ofResponse(headers));
    if (given !== null) this.#table.put(given, id);
    // One that has moved stays where it is served now: another request of it might go somewhere else again.
    else if (session !== null && this.#isOne(session)) this.#table.put(session, id);
    return null;
  }

  sessionsAt({ id }: Endpoint): number {
    return this.#table.sessionsAt(id);
  }

  #isOne(session: string): boolean {
    return this.#source.chosenByClients || this.#table.at(session) !== null;
  }

  #keyOf(value: string | null): string | null {
    return value === null ? null : hash('sha256', `${this.#source.name}:${value}`, 'base64url');
  }
}
