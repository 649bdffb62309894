import { type AccountKey, accountKeyOf, generateAccountKey } from './account-key.ts';
import { type ExternalAccount, externalAccountBinding } from './jws.ts';
import { locationOf } from './resource.ts';
import type { AcmeSession } from './session.ts';
import type { AcmeStore, StoredAccount } from './store.ts';

/** Who asks for certificates. */
export interface AccountOptions {
  /** Where the authority may write to, or `null`. */
  readonly email: string | null;
  /** For authorities that only serve accounts of their own. */
  readonly eab: ExternalAccount | null;
}

/** An account before it was asked for: stored, or a key that is new and stored now. */
export interface OwnAccount {
  readonly key: AccountKey;
  readonly stored: StoredAccount;
}

/**
 * The stored account key, or a new one. One that was bound to another external account is not used again. Stored before it is
 * registered: a key that the authority knows is never lost.
 */
export async function ownAccount(store: AcmeStore, options: AccountOptions): Promise<OwnAccount> {
  const eabKid = options.eab?.kid ?? null;
  const stored = await store.readAccount();
  const known = stored === null || stored.eabKid !== eabKid ? null : accountKeyOf(stored.keyPem);
  if (stored !== null && known !== null) return { key: known, stored };
  const { key, pem } = generateAccountKey();
  const fresh = { keyPem: pem, url: null, email: null, eabKid };
  await store.writeAccount(fresh);
  return { key, stored: fresh };
}

/**
 * Lets `session` sign for the account, which is registered or found by its key (RFC 8555 §7.3). The terms of service are agreed
 * to: whoever configures ACME does (docs/tls.md). Another `email` than last time is told to the authority (§7.3.2).
 */
export async function signIn(
  session: AcmeSession,
  { stored }: OwnAccount,
  { store, options }: { readonly store: AcmeStore; readonly options: AccountOptions },
): Promise<void> {
  const { email } = options;
  if (stored.url !== null && stored.email === email) {
    session.accountUrl = stored.url;
    return;
  }
  const url = stored.url ?? (await register(session, options));
  session.accountUrl = url;
  if (stored.url !== null) await session.post(url, { contact: contactOf(email) });
  await store.writeAccount({ ...stored, url, email });
}

async function register(session: AcmeSession, { email, eab }: AccountOptions): Promise<string> {
  const { newAccount } = await session.directory();
  session.accountUrl = null;
  const answer = await session.post(newAccount, {
    termsOfServiceAgreed: true,
    contact: contactOf(email),
    ...(eab === null ? {} : { externalAccountBinding: externalAccountBinding(eab, newAccount, session.key.jwk) }),
  });
  return locationOf(answer.location, newAccount);
}

function contactOf(email: string | null): readonly string[] {
  return email === null ? [] : [`mailto:${email}`];
}
