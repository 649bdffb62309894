import { component, count, listOf, orNull, record, type Schema, text, time, words } from '../schema.ts';

/** The gateway as a whole. */
export const gatewaySchemas: Readonly<Record<string, Schema>> = {
  Refusal: record(
    {
      error: { type: 'string', pattern: '^[a-z]+(-[a-z]+)*$', description: 'Enumerated: see docs/admin.md' },
      message: { type: 'string', description: 'For a person' },
      field: {
        type: 'string',
        description: 'What of the body is meant: a JSON pointer (RFC 6901), empty for all of it',
      },
      parameter: { type: 'string', description: 'Which name in the path or the query is meant' },
    },
    ['field', 'parameter'],
  ),
  Readiness: record({ status: words('ready', 'overloaded', 'draining') }),
  Status: record({
    version: text,
    startedAt: time,
    phase: words('serving', 'draining'),
    listeners: listOf(record({ name: text, kind: words('http', 'tcp'), url: text, connections: count })),
    pools: listOf(component('Pool')),
    routes: count,
    quarantined: listOf(component('OutOfService')),
    lastReload: orNull(component('Reload')),
    maintenance: component('Maintenance'),
    overload: orNull(component('Overload')),
    cache: component('CacheStatus'),
    certificates: listOf(component('Certificate')),
    cacheDisk: orNull(component('CacheDisk')),
    workers: orNull(listOf(component('Worker'))),
  }),
  Worker: record({ number: count, pid: orNull(count), startedAt: orNull(time), restarts: count }),
  Certificate: record({
    listener: text,
    from: text,
    renewal: words('by-others', 'automatic'),
    names: listOf(text),
    issuer: orNull(text),
    notBefore: orNull(time),
    notAfter: orNull(time),
    state: words('ok', 'expiring', 'expired', 'quarantined'),
    problem: orNull(text),
    ocsp: orNull(words('stapled', 'missing')),
  }),
};
