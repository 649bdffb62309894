import { GatewayError } from '../../errors.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from '../admit.ts';
import type { NetworkSet } from './network-set.ts';

export type AccessRefusal = 'address-denied' | 'method-not-allowed' | 'rule-denied';

/** Networks as they are now: those of a file are others after it has changed. */
export interface NetworkSource {
  readonly current: NetworkSet;
}

/** The first rule that holds decides. */
export interface AccessRule {
  /** For the log: its name, or its place in the list from 1. */
  readonly label: string;
  readonly allows: boolean;
  readonly holds: (request: PolicyRequest) => boolean;
}

export interface AccessOptions {
  /** Whoever is in one of these is refused. */
  readonly deny: readonly NetworkSource[];
  /** Whoever is in none of these is; `null`: nobody is for that. */
  readonly allow: readonly NetworkSource[] | null;
  /** All that may be asked with; `null` for any. `GET` includes `HEAD` (RFC 9110 §9.3.2). */
  readonly methods: readonly string[] | null;
  readonly rules: readonly AccessRule[];
  /** Refuses nobody, and notes whom it would have. */
  readonly dryRun: boolean;
}

/**
 * Who may come in at all: by address, then by method, then by rules. Addresses are those of the client behind trusted proxies. A client
 * without an address is in no network.
 */
export function accessPolicy(options: AccessOptions): AdmitPolicy<'access'> {
  const { deny, allow, rules, dryRun } = options;
  const methods = options.methods === null ? null : withHead(options.methods);
  const allowField = methods === null ? [] : ['Allow', methods.join(', ')];

  function refusalOf(request: PolicyRequest): AccessRefusal | null {
    const { address } = request.client;
    if (isIn(deny, address) || (allow !== null && !isIn(allow, address))) return 'address-denied';
    if (methods !== null && !methods.includes(request.request.method)) return 'method-not-allowed';
    const rule = rules.length === 0 ? null : deciding(rules, request);
    if (rule === null || rule.allows) return null;
    request.note(`access-rule:${rule.label}`);
    return 'rule-denied';
  }

  function admit(request: PolicyRequest): Verdict | null {
    const reason = refusalOf(request);
    if (reason === null) return null;
    if (dryRun) {
      request.note(`${reason}:dry-run`);
      return null;
    }
    const isMethod = reason === 'method-not-allowed';
    const answer = { status: isMethod ? 405 : 403, fields: isMethod ? allowField : [] };
    return { kind: 'refuse', error: new GatewayError('http_request_denied', { blame: 'client', reason, ...answer }) };
  }

  return { phase: 'access', policy: 'access', admit };
}

function isIn(sources: readonly NetworkSource[], address: string): boolean {
  for (let i = 0; i < sources.length; i += 1) if ((sources[i] as NetworkSource).current.holds(address)) return true;
  return false;
}

function deciding(rules: readonly AccessRule[], request: PolicyRequest): AccessRule | null {
  for (let i = 0; i < rules.length; i += 1) {
    const rule = rules[i] as AccessRule;
    if (rule.holds(request)) return rule;
  }
  return null;
}

/** In the order of the configuration, each once. */
function withHead(methods: readonly string[]): readonly string[] {
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}
