import { checkAffinityKeys } from './affinity-keys.ts';
import { type Diagnostic, diagnosticAt, noteAt, type Place } from './config-error.ts';
import { listener, listenerLimits } from './schema/listener.ts';
import type { MapEntry, MapNode, ScalarNode } from './source-tree.ts';

/** Keys that mean something on a listener of kind tcp. */
const TCP_KEYS = new Set([
  'kind',
  'address',
  'port',
  'mode',
  'pool',
  'passthrough',
  'trustedProxies',
  'proxyProtocol',
  'limits',
]);
const TCP_LIMITS = new Set(['connections', 'connectionsPerAddress', 'headTimeout', 'streamIdleTimeout']);
/** Keys of a health check that mean nothing to a type, and why. */
const FOREIGN_CHECK_KEYS: Readonly<Record<string, readonly [why: string, ...keys: string[]]>> = {
  http: ['only a gRPC call names a service', 'service'],
  tcp: ['nothing is requested', 'method', 'path', 'host', 'headers', 'expect', 'body', 'service'],
  grpc: ['the call and its answer are those of the gRPC health protocol', 'method', 'path', 'expect', 'body'],
};

/**
 * Keys that say nothing beside the `kind` of their listener. Works on the files as they are: once there are defaults, nobody can
 * tell what was given.
 */
export function checkListenerKeys(listeners: ReadonlyMap<string, MapEntry>): Diagnostic[] {
  return [...listeners].flatMap(([name, entry]) => {
    if (entry.value.kind !== 'map') return [];
    const kind = textOf(entry.value, 'kind') ?? 'http';
    const at = { name, entry, map: entry.value };
    if (kind === 'tcp') return [...checkTcp(at), ...checkServerNames(at.map)];
    return kind === 'http' ? [...checkHttp(at), ...checkServerNames(at.map)] : [];
  });
}

/** The same for pools: keys beside the `type` of their health check, and of their `affinity`. */
export function checkPoolKeys(pool: MapEntry): Diagnostic[] {
  return [...checkHealth(pool), ...checkAffinityKeys(pool)];
}

/** Is this listener one without routes? */
export function isTcp(entry: MapEntry | undefined): boolean {
  return entry?.value.kind === 'map' && textOf(entry.value, 'kind') === 'tcp';
}

interface ListenerAt {
  readonly name: string;
  readonly entry: MapEntry;
  readonly map: MapNode;
}

function checkTcp({ name, entry, map }: ListenerAt): Diagnostic[] {
  const limitsGiven = map.entries.get('limits')?.value;
  const alien = [
    ...foreign(map, listener.shape, TCP_KEYS),
    ...(limitsGiven?.kind === 'map' ? foreign(limitsGiven, listenerLimits.shape, TCP_LIMITS) : []),
  ];
  const diagnostics = alien.map(([key, found]) =>
    diagnosticAt(found.key, {
      code: 'HG0106',
      message: `“${key}” means nothing on a listener of kind tcp: its connections are forwarded as they are`,
      suggestion: key === 'tls' ? 'to terminate some names, use kind http with “tls” and “passthrough”' : 'remove it',
    }),
  );
  if (map.entries.has('pool') || map.entries.has('passthrough')) return diagnostics;
  const message = `listener “${name}” of kind tcp leads nowhere: give it “pool”, “passthrough”, or both`;
  return [...diagnostics, diagnosticAt(entry.key, { code: 'HG0106', message })];
}

/** Keys that exist, and not here. What exists nowhere is another mistake, told elsewhere. */
function foreign(map: MapNode, known: object, allowed: ReadonlySet<string>): [string, MapEntry][] {
  return [...map.entries].filter(([key]) => key in known && !allowed.has(key));
}

function checkHttp({ map }: ListenerAt): Diagnostic[] {
  const pool = map.entries.get('pool');
  const passthrough = map.entries.get('passthrough');
  const diagnostics: Diagnostic[] = [];
  if (pool !== undefined) {
    const message = '“pool” of a listener is for kind tcp: here routes name the pools';
    diagnostics.push(diagnosticAt(pool.key, { code: 'HG0106', message }));
  }
  if (passthrough !== undefined && !map.entries.has('tls')) {
    const message = '“passthrough” chooses among TLS connections, and this listener has no “tls”';
    const suggestion = 'add “tls” to terminate the other names, or write “kind: tcp”';
    diagnostics.push(diagnosticAt(passthrough.key, { code: 'HG0106', message, suggestion }));
  }
  const h2c = map.entries.get('h2c');
  if (h2c?.value.kind === 'scalar' && h2c.value.value === true && map.entries.has('tls')) {
    const message =
      '“h2c” is HTTP/2 without TLS, and this listener has “tls”: HTTP/2 is offered there by ALPN (“http2”)';
    diagnostics.push(diagnosticAt(h2c.key, { code: 'HG0106', message, suggestion: 'remove it' }));
  }
  return diagnostics;
}

/** One name in two entries, or twice in one. */
function checkServerNames(map: MapNode): Diagnostic[] {
  const seen = new Map<string, Place>();
  return serverNames(map).flatMap((node) => {
    const key = String(node.value).toLowerCase();
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, node.place);
      return [];
    }
    const message = `server name “${node.text}” is listed twice`;
    return [diagnosticAt(node.place, { code: 'HG0104', message, notes: [noteAt(first, 'first here')] })];
  });
}

function serverNames(map: MapNode): ScalarNode[] {
  const list = map.entries.get('passthrough')?.value;
  if (list?.kind !== 'list') return [];
  return list.items.flatMap((item) => {
    const names = item.kind === 'map' ? item.entries.get('sni')?.value : undefined;
    if (names === undefined) return [];
    return (names.kind === 'list' ? names.items : [names]).filter((name) => name.kind === 'scalar');
  });
}

function checkHealth({ value }: MapEntry): Diagnostic[] {
  const health = value.kind === 'map' ? value.entries.get('health')?.value : undefined;
  if (health?.kind !== 'map') return [];
  const type = textOf(health, 'type') ?? 'http';
  const [why, ...keys] = FOREIGN_CHECK_KEYS[type] ?? [''];
  return keys.flatMap((key) => {
    const found = health.entries.get(key);
    if (found === undefined) return [];
    const message = `“${key}” means nothing for a check of type ${type}: ${why}`;
    const other = type !== 'http' ? 'http' : 'grpc';
    return [diagnosticAt(found.key, { code: 'HG0106', message, suggestion: `remove it, or check with type ${other}` })];
  });
}

function textOf(map: MapNode, key: string): string | null {
  const node = map.entries.get(key)?.value;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : null;
}
