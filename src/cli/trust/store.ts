import type { Step } from './machine.ts';

/** The local CA as trust stores know it. */
export interface Authority {
  /** Absolute. */
  readonly file: string;
  readonly pem: string;
  readonly subject: string;
  /** Lower-case hexadecimal without colons. */
  readonly sha256: string;
  readonly sha1: string;
  /** ISO 8601. */
  readonly validUntil: string;
}

/** What trust stores call what `headgate trust` has put there. The digest behind it tells one authority from another. */
export const NICKNAME = 'headgate-local-ca-';

/** The name of `authority` in stores that have names. */
export function nicknameOf(authority: Authority): string {
  return `${NICKNAME}${authority.sha256.slice(0, 16)}`;
}

/** What is to be done with one store. A value: nothing is done by making it. */
export type Plan =
  /** It is as it should be. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'steps'; readonly steps: readonly Step[]; readonly needsRoot: boolean }
  | { readonly kind: 'unable'; readonly reason: string };

/** A place where trusted authorities are kept, as it was found. */
export interface TrustStore {
  /** For programs: `system`, `nss:/home/me/.pki/nssdb`. */
  readonly id: string;
  /** For people. */
  readonly label: string;
  /** The authority that was asked about is trusted here. */
  readonly trusted: boolean;
  /** Steps after which `authority` is trusted. */
  planTrust(authority: Authority): Plan;
  /** Steps after which nothing is trusted that `headgate trust` has put here, now or earlier. */
  planUntrust(): Plan;
}

/** The steps as lines for a shell, with `sudo` where they need root. */
export function commandLines(plan: Plan, isRoot: boolean): string[] {
  if (plan.kind !== 'steps') return [];
  const prefix = plan.needsRoot && !isRoot ? 'sudo ' : '';
  return plan.steps.map((step) => prefix + step.map(quoted).join(' '));
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
