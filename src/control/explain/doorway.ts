import type { ListenerConfig } from '../../config/schema/listener.ts';
import type { TlsFacts } from '../../exchange/exchange.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';
import { hostOf } from '../../http/target.ts';
import { parseNetwork } from '../../routing/client-list.ts';
import { type AskedAt, certificateFacts } from './asked-exchange.ts';
import type { Question } from './question.ts';
import type { Subject } from './subject.ts';

/** What becomes of a request before it is one: the listener, and what that does before it knows any rules. */
export type Doorway =
  | { readonly kind: 'in'; readonly at: AskedAt; readonly notes: readonly string[] }
  /** Its connection is forwarded as it is. */
  | {
      readonly kind: 'passthrough';
      readonly listener: string;
      readonly pool: string;
      readonly serverName: string | null;
    }
  | { readonly kind: 'refused'; readonly listener: string; readonly status: number; readonly reason: string }
  /** No connection comes about. */
  | { readonly kind: 'closed'; readonly listener: string | null; readonly reason: string };

/** Through which listener, and how, a request would come in. */
export function doorwayOf(subject: Subject, question: Question): Doorway {
  const found = listenerFor(subject, question);
  if (found === null) {
    const { listener } = question;
    return { kind: 'closed', listener, reason: listener === null ? 'no-listener' : 'unknown-listener' };
  }
  const [listener, config] = found;
  const serverName = config.tls === undefined && config.kind === 'http' ? null : serverNameOf(question);
  const streams = subject.snapshot.streams.get(listener);
  if (streams !== undefined) {
    const pool = (serverName === null ? null : streams.names.find(serverName)) ?? streams.pool;
    if (pool !== null) return { kind: 'passthrough', listener, pool: pool.name, serverName };
  }
  if (config.kind === 'tcp') return { kind: 'closed', listener, reason: 'nothing-forwards-it' };
  const refusal = refusalOf(question, config);
  if (refusal !== null) return { kind: 'refused', listener, ...refusal };
  return { kind: 'in', ...entered(subject, question, { listener, config, serverName }) };
}

function entered(
  { ports }: Subject,
  question: Question,
  { listener, config, serverName }: { listener: string; config: ListenerConfig; serverName: string | null },
): { readonly at: AskedAt; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const scheme = config.tls === undefined ? 'http' : 'https';
  if (scheme !== question.scheme) notes.push(`listener ${listener} takes ${scheme}, whatever the URL says`);
  const kept = config.underscores === 'keep' ? question.headers : withoutUnderscored(question.headers);
  if (kept.length < question.headers.length)
    notes.push('header fields with “_” in their name are dropped (underscores)');
  const authority = getHeader(kept, 'host') ?? question.authority;
  const headers = getHeader(kept, 'host') === null ? ['Host', authority, ...kept] : kept;
  const localPort = ports.get(listener) ?? (config.port || portOf(question));
  const tls = config.tls === undefined ? null : tlsFacts(question, config.tls, serverName);
  return { at: { listener, scheme, localPort, authority, headers, tls }, notes };
}

/** The listener that was named, or that the URL leads to: by its port, or else by its scheme. */
function listenerFor(
  { config, ports }: Subject,
  question: Question,
): readonly [name: string, listener: ListenerConfig] | null {
  const all = Object.entries(config.listeners);
  if (question.listener !== null) return all.find(([name]) => name === question.listener) ?? null;
  const port = portOf(question);
  const isAt = ([name, listener]: (typeof all)[number]): boolean => (ports.get(name) ?? listener.port) === port;
  const isOfScheme = ([, { tls, kind }]: (typeof all)[number]): boolean =>
    kind === 'http' && (tls !== undefined) === (question.scheme === 'https');
  const takes = ([, { redirectTo, kind }]: (typeof all)[number]): boolean =>
    kind === 'http' && redirectTo === undefined;
  const choices = [
    all.find((one) => isAt(one) && isOfScheme(one)),
    all.find((one) => isAt(one) && one[1].kind === 'tcp'),
    all.find((one) => isOfScheme(one) && takes(one)),
    all.find(isOfScheme),
    all.find(takes),
  ];
  return choices.find((choice) => choice !== undefined) ?? null;
}

function portOf({ scheme, authority }: Question): number {
  const port = /:(\d+)$/.exec(authority)?.[1];
  return port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port);
}

/** RFC 6066 §3: addresses are no server names. */
function serverNameOf({ serverName, authority, scheme }: Question): string | null {
  if (serverName !== null) return serverName;
  const host = hostOf(authority);
  return scheme !== 'https' || host.startsWith('[') || parseNetwork(host).ok ? null : host;
}

/** Protocols are checked before there is an exchange. */
function refusalOf({ method, target, headers }: Question, { underscores }: ListenerConfig) {
  if (method === 'CONNECT') return { status: 501, reason: 'connect' };
  if (!/^[\x21-\x7e]+$/.test(target)) return { status: 400, reason: 'bad-target' };
  const isUnderscored = underscores === 'refuse' && withoutUnderscored(headers).length < headers.length;
  return isUnderscored ? { status: 400, reason: 'underscore-in-field-name' } : null;
}

function withoutUnderscored(headers: HeaderList): HeaderList {
  return headers.filter((_, i) => !(headers[i - (i % 2)] as string).includes('_'));
}

/** A certificate that was asked for verifies: whoever asks says so. */
function tlsFacts(
  { certificate }: Question,
  { clientCertificates }: NonNullable<ListenerConfig['tls']>,
  serverName: string | null,
): TlsFacts {
  const facts = clientCertificates === undefined || certificate === null ? null : certificateFacts(certificate);
  const isMissing = clientCertificates?.mode === 'require' && facts === null;
  return {
    serverName,
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    clientCertificate: facts,
    refusal: isMissing ? 'client-certificate-required' : null,
  };
}
