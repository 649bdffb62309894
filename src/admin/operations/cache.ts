import { MOST_TAGS, type PurgeRefusal, type PurgeTarget } from '../../control/cache-admin.ts';
import { MOST_ENTRIES } from '../../control/cache-listing.ts';
import { type Call, type Operation, ok } from '../operation.ts';
import { badBody, type Refusal } from '../refusal.ts';
import { component, described, record, text, truth } from '../schema.ts';

const TARGETS = ['url', 'prefix', 'host', 'tag', 'tags', 'all'] as const;

/** What is stored: figures, entries, purges. */
export const cacheOperations: readonly Operation[] = [
  {
    id: 'cache',
    method: 'GET',
    path: '/cache',
    access: 'reading',
    summary: 'What the cache holds, and what it has done for each route',
    tag: 'cache',
    answers: { 200: { description: 'Figures since the start', schema: component('CacheSummary') } },
    run: async ({ desk }) => ok(await desk.cacheSummary()),
  },
  {
    id: 'cacheEntries',
    method: 'GET',
    path: '/cache/entries',
    access: 'secret',
    summary: 'What is stored: a page of it, or everything for one URL',
    tag: 'cache',
    query: {
      url: described(text, 'Everything that is stored for it, with its fields; then nothing else may be given'),
      prefix: described(text, 'Of URLs'),
      host: text,
      tag: text,
      after: described(text, '`next` of the page before'),
      limit: { type: 'integer', minimum: 1, maximum: MOST_ENTRIES, description: '100 unless given' },
    },
    answers: {
      200: {
        description: 'By URL',
        schema: { anyOf: [component('EntryPage'), component('CachedUrl')] },
      },
    },
    run: async ({ desk, query }) => {
      const { url } = query;
      if (url !== undefined) return inspected(url, query, desk);
      const [prefix = null, host = null, tag = null, after = null] = ['prefix', 'host', 'tag', 'after'].map(
        (key) => query[key],
      );
      return ok(await desk.cacheEntries({ prefix, host, tag, after, limit: Number(query['limit'] ?? 100) }));
    },
  },
  {
    id: 'purge',
    method: 'POST',
    path: '/cache/purge',
    access: 'change',
    summary: 'Marks what is stored as stale, or drops it: exactly one of url, prefix, host, tag, tags, all',
    tag: 'cache',
    body: record(
      {
        url: text,
        prefix: described(text, 'Of URLs'),
        host: text,
        tag: text,
        tags: { type: 'array', items: text, maxItems: MOST_TAGS },
        all: { type: 'boolean', const: true },
        hard: described(truth, 'Drop it, in place of marking it stale'),
      },
      [...TARGETS, 'hard'],
    ),
    answers: { 200: { description: 'It holds', schema: component('Purged') } },
    refusals: { 503: '`busy`: too many purges are under way' },
    run: purge,
  },
];

async function inspected(url: string, query: Call['query'], desk: Call['desk']) {
  const another = Object.keys(query).find((name) => name !== 'url');
  if (another !== undefined) {
    const message = `“${another}” means nothing beside “url”`;
    return { status: 400, error: 'bad-request', message, parameter: another };
  }
  const found = await desk.cachedUrl(url);
  if (found !== null) return ok(found);
  return { status: 400, error: 'bad-url', message: `“${url.slice(0, 256)}” is not a URL`, parameter: 'url' };
}

const STATUS_OF: Readonly<Record<PurgeRefusal, number>> = {
  'bad-url': 400,
  'bad-prefix': 400,
  'bad-host': 400,
  'bad-tag': 400,
  busy: 503,
};

async function purge({ desk, body, by }: Call) {
  const given = TARGETS.filter((name) => name in body);
  const [key, another] = given;
  if (key === undefined)
    return badBody('', 'Send one of url, prefix, host, tag, tags or all, and hard: true to drop it');
  if (another !== undefined) return badBody(`/${another}`, `Send either “${key}” or “${another}”`);
  const result = await desk.purge(targetOf(key, body[key]), { hard: body['hard'] === true, by });
  if (result.ok) return ok({ kind: result.kind, mode: result.mode, purged: result.purged });
  const { reason, message } = result;
  const refusal: Refusal = { status: STATUS_OF[reason], error: reason, message };
  return reason === 'busy' ? { ...refusal, headers: { 'retry-after': '1' } } : { ...refusal, field: `/${key}` };
}

/** The value is as the schema says. */
function targetOf(key: (typeof TARGETS)[number], value: unknown): PurgeTarget {
  switch (key) {
    case 'url':
      return { kind: 'url', url: value as string };
    case 'prefix':
      return { kind: 'prefix', prefix: value as string };
    case 'host':
      return { kind: 'host', host: value as string };
    case 'tag':
      return { kind: 'tag', tags: [value as string] };
    case 'tags':
      return { kind: 'tag', tags: value as string[] };
    case 'all':
      return { kind: 'all' };
  }
}
