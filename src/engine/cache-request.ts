import { hash } from 'node:crypto';
import { isKeyHost } from '../cache/key.ts';
import { keyParts, queryInKey, selectingFields } from '../cache/key-policy.ts';
import type { CacheRequest } from '../cache/lookup.ts';
import { forwardedFacts } from '../http/forwarded.ts';
import type { Identity } from '../policy/identity.ts';
import { outboundTarget } from './outbound.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/** The request as the cache sees it: the canonical target, and the client's own fields. `plan` is `null` where only the URI matters. */
export function cacheRequestOf(progress: Progress, plan: RoutePlan | null): CacheRequest {
  const { request } = progress.exchange;
  const key = plan === null || plan.cache === null ? null : plan.cache.key;
  const keyQuery = key === null ? progress.query : queryInKey(progress.query, key);
  return {
    method: request.method,
    scheme: request.scheme,
    host: request.authority.toLowerCase(),
    path: progress.path,
    query: progress.query,
    keyQuery,
    headers: key === null ? request.headers : selectingFields(request.headers, key),
    partition: plan === null ? '' : partitionOf(progress, plan, keyQuery),
  };
}

/**
 * What chose the response besides the URI and the client's own fields: the route, what a trusted proxy says of the request, and
 * everything the route's policies write into it. Two clients for whom an edit writes different values never share a stored response.
 * `query` is the part that is in the key. Hot: each part is empty where it does not apply.
 */
function partitionOf(progress: Progress, plan: RoutePlan, query: string | null): string {
  let partition = progress.route + scopePart(plan) + keyPart(progress, plan) + poolPart(progress, plan);
  partition += certificatePart(progress) + listenerPart(progress) + hostPart(progress) + proxyPart(progress);
  return partition + targetPart(progress, plan, query) + editsPart(progress, plan) + writtenPart(progress);
}

/** A part of the partition that applies to a request. */
export interface PartitionPart {
  readonly by:
    | 'route'
    | 'scope'
    | 'cache.key'
    | 'pool'
    | 'client-certificate'
    | 'listener'
    | 'host-spelling'
    | 'trusted-proxy'
    | 'rewritten-target'
    | 'request-headers'
    | 'substitute';
  readonly text: string;
}

/** What a request's partition is made of, in order: joined, the texts are the partition. For people; `query` as in the key. */
export function partitionParts(progress: Progress, plan: RoutePlan, query: string | null): readonly PartitionPart[] {
  const parts: readonly PartitionPart[] = [
    { by: 'route', text: progress.route },
    { by: 'scope', text: scopePart(plan) },
    { by: 'cache.key', text: keyPart(progress, plan) },
    { by: 'pool', text: poolPart(progress, plan) },
    { by: 'client-certificate', text: certificatePart(progress) },
    { by: 'listener', text: listenerPart(progress) },
    { by: 'host-spelling', text: hostPart(progress) },
    { by: 'trusted-proxy', text: proxyPart(progress) },
    { by: 'rewritten-target', text: targetPart(progress, plan, query) },
    { by: 'request-headers', text: editsPart(progress, plan) },
    { by: 'substitute', text: writtenPart(progress) },
  ];
  return parts.filter(({ text }) => text !== '');
}

function scopePart({ cache }: RoutePlan): string {
  return cache === null || cache.scope === '' ? '' : ` ${cache.scope}`;
}

/** What was stored under other rules may be another response: the key no longer tells. */
function keyPart({ request }: Progress, { cache }: RoutePlan): string {
  return cache === null || cache.key === null ? '' : cache.key.id + keyParts(request.headers, cache.key);
}

/** Versions of an application answer differently; that is what they are for. */
function poolPart({ pool }: Progress, { action }: RoutePlan): string {
  return action.kind === 'split' ? ` ${pool}` : '';
}

/** Whoever is told of certificates may answer each of them differently. */
function certificatePart({ certificate }: Progress): string {
  return certificate === null ? '' : ` ${certificate.fingerprint}`;
}

/** The endpoint is told by which port (X-Forwarded-Port), and Host need not say so. */
function listenerPart(progress: Progress): string {
  return saysItsPort(progress) ? '' : ` @${progress.exchange.listener}`;
}

/** It gets the host as it was sent, and may redirect whoever spells it otherwise than usual: to the very URI that the key stands for. */
function hostPart({ request: { scheme, authority } }: Progress): string {
  return isKeyHost(scheme, authority) ? '' : ` ${authority}`;
}

function proxyPart({ client, request }: Progress): string {
  return client.trusted ? forwardedFacts(request.headers, client.forwardedBy) : '';
}

function targetPart(progress: Progress, plan: RoutePlan, query: string | null): string {
  return plan.rewritePath === null && plan.editQuery === null ? '' : ` ${outboundTarget(progress, plan, query)}`;
}

function editsPart(progress: Progress, plan: RoutePlan): string {
  const { identity, policies } = progress;
  const editGroups = policies === null ? null : policies.editRequest;
  if (plan.editRequest === null && editGroups === null && saysNothing(identity)) return '';
  const written: string[] = identity === null ? [] : toldOf(identity);
  if (editGroups !== null) editGroups(written, progress);
  if (plan.editRequest !== null) plan.editRequest(written, progress);
  return ` ${written.join('\n')}`;
}

/** What the endpoint is told. Where it sees credentials, a digest: keys are stored, and shown to operators. */
function toldOf({ scheme, user, apart, fields, seesCredentials }: Identity): string[] {
  if (seesCredentials !== true) return fields.slice();
  return ['identity', hash('sha256', JSON.stringify([scheme, user, apart, fields]), 'base64')];
}

/** The endpoint can't tell one user from another. */
function saysNothing(identity: Identity | null): boolean {
  return identity === null || (identity.fields.length === 0 && identity.seesCredentials !== true);
}

/** What policies write into bodies before they are stored. */
function writtenPart(progress: Progress): string {
  const transforms = progress.policies === null ? null : progress.policies.transforms;
  if (transforms === null) return '';
  let written = '';
  for (const transform of transforms) if (transform.written !== null) written += ` ${transform.written(progress)}`;
  return written;
}

/** Does Host name the port that the request came by? Hot: allocates nothing. */
function saysItsPort({ exchange: { request, client } }: Progress): boolean {
  const { authority, scheme } = request;
  const colon = authority.lastIndexOf(':');
  // Not one within an IPv6 address.
  if (colon === -1 || authority.charCodeAt(authority.length - 1) === 0x5d) {
    return client.localPort === (scheme === 'https' ? 443 : 80);
  }
  let port = 0;
  for (let i = colon + 1; i < authority.length; i += 1) port = port * 10 + authority.charCodeAt(i) - 0x30;
  return port === client.localPort;
}
