import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PurgeRefusal, PurgeTarget } from '../../control/cache-admin.ts';
import { type EntryFilter, MOST_ENTRIES } from '../../control/cache-listing.ts';
import type { AdminDesk } from '../desk.ts';
import { handOf } from '../hand.ts';
import { type Refusal, send } from '../refusal.ts';
import { addRoute } from './routes.ts';

/** The part of the desk that this needs. */
type CacheDesk = Pick<AdminDesk, 'purge' | 'cacheSummary' | 'cacheEntries' | 'cachedUrl'>;

/**
 * What is stored: `POST /cache/purge`, `GET /cache`, `GET /cache/entries`. `secret` says why a request may not see stored responses,
 * which tell more than figures do; `null` for one that may.
 */
export function addCache(
  server: FastifyInstance,
  desk: CacheDesk,
  secret: (request: FastifyRequest) => Refusal | null,
): void {
  addRoute(server, '/cache', { GET: async () => desk.cacheSummary() });
  addRoute(server, '/cache/purge', {
    POST: async (request, reply) => {
      const order = orderIn((request.body ?? {}) as Body);
      if (typeof order === 'string') return badRequest(reply, order);
      const result = await desk.purge(order.target, { hard: order.hard, by: handOf(request) });
      if (result.ok) return reply.send({ kind: result.kind, mode: result.mode, purged: result.purged });
      const { reason, message } = result;
      if (reason === 'busy') reply.header('retry-after', '1');
      return send(reply, { status: STATUS_OF[reason], error: reason, message });
    },
  });
  addRoute(server, '/cache/entries', {
    GET: async (request, reply) => {
      const refusal = secret(request);
      if (refusal !== null) return send(reply, refusal);
      const query = request.query as Query;
      if (typeof query['url'] === 'string') return inspect(reply, desk, query['url']);
      const filter = filterIn(query);
      return typeof filter === 'string' ? badRequest(reply, filter) : reply.send(await desk.cacheEntries(filter));
    },
  });
}

type Body = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string | string[] | undefined>>;

const STATUS_OF: Readonly<Record<PurgeRefusal, number>> = {
  'bad-url': 400,
  'bad-prefix': 400,
  'bad-host': 400,
  'bad-tag': 400,
  busy: 503,
};

const TARGETS = ['url', 'prefix', 'host', 'tag', 'tags', 'all'] as const;
const WANTED = 'Send one of url, prefix, host, tag, tags or all, and hard: true to drop it';

/** What a body asks for, or what is wrong with it. */
function orderIn(body: Body): { readonly target: PurgeTarget; readonly hard: boolean } | string {
  const alien = Object.keys(body).find((key) => key !== 'hard' && !TARGETS.some((target) => target === key));
  if (alien !== undefined) return `“${alien}” means nothing here`;
  const { hard = false } = body;
  if (typeof hard !== 'boolean') return '“hard” is true or false';
  const [key, another] = TARGETS.filter((target) => target in body);
  if (key === undefined || another !== undefined) return WANTED;
  const target = targetOf(key, body[key]);
  return target === null ? `“${key}” is not what it should be. ${WANTED}` : { target, hard };
}

function targetOf(key: (typeof TARGETS)[number], value: unknown): PurgeTarget | null {
  if (key === 'all') return value === true ? { kind: 'all' } : null;
  if (key === 'tags') {
    return Array.isArray(value) && value.every((tag) => typeof tag === 'string') ? { kind: 'tag', tags: value } : null;
  }
  if (typeof value !== 'string') return null;
  switch (key) {
    case 'url':
      return { kind: 'url', url: value };
    case 'prefix':
      return { kind: 'prefix', prefix: value };
    case 'host':
      return { kind: 'host', host: value };
    case 'tag':
      return { kind: 'tag', tags: [value] };
  }
}

const FILTERS = ['prefix', 'host', 'tag', 'after', 'limit'];

function filterIn(query: Query): EntryFilter | string {
  const alien = Object.keys(query).find((key) => !FILTERS.includes(key));
  if (alien !== undefined) return `“${alien}” means nothing here`;
  const text = (key: string): string | null => [query[key]].flat()[0] ?? null;
  const limit = text('limit') ?? '100';
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > MOST_ENTRIES) {
    return `“limit” is a number from 1 to ${MOST_ENTRIES}`;
  }
  const [prefix, host, tag, after] = ['prefix', 'host', 'tag', 'after'].map(text) as (string | null)[];
  return { prefix: prefix ?? null, host: host ?? null, tag: tag ?? null, after: after ?? null, limit: Number(limit) };
}

async function inspect(reply: FastifyReply, desk: CacheDesk, url: string): Promise<FastifyReply> {
  const found = await desk.cachedUrl(url);
  return found === null
    ? send(reply, { status: 400, error: 'bad-url', message: `“${url}” is not a URL` })
    : reply.send(found);
}

function badRequest(reply: FastifyReply, message: string): FastifyReply {
  return send(reply, { status: 400, error: 'bad-request', message });
}
