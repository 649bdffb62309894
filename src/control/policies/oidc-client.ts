import type {
  ClientAuth,
  Configuration,
  CustomFetch,
  TokenEndpointResponse,
  TokenEndpointResponseHelpers,
} from 'openid-client';
import type { Clock } from '../../clock.ts';
import type { LoginAttempt } from '../../policy/auth/oidc/login-attempt.ts';
import type { OidcProvider, ProviderAnswer, ProviderPages, ProviderTokens } from '../../policy/auth/oidc/provider.ts';
import type { PolicyObserver, PolicyState } from '../../policy/policy-state.ts';
import { failureOf, isClientRefused, type OidcFailure } from './oidc-failure.ts';

type Library = typeof import('openid-client');
type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

export interface OidcClientOptions {
  readonly id: string;
  readonly owner: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
  readonly clientAuthentication: 'auto' | 'basic' | 'post';
  readonly userinfo: boolean;
  readonly fetch: CustomFetch;
  readonly clock: Clock;
  readonly observer: PolicyObserver;
}

interface Discovered {
  readonly configuration: Configuration;
  readonly pages: ProviderPages;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** What a provider says of itself is asked for again after this. */
const REFRESH_MS = 3_600_000;
/** One that does not answer is not asked again by each request. */
const PAUSE_MS = 2_000;
/** Seconds; for an operation as a whole. Each request has the configured bound. */
const OPERATION_SECONDS = 60;

/** The library has 200 KB, and only who logs people in needs it. */
let loaded: Promise<Library> | null = null;

/**
 * An OpenID provider, by `openid-client`. It is asked for its metadata when they are needed first, and again after an hour; what it said before holds for as long
 * as it says nothing new. ID tokens are verified by its keys, also those that come from it directly. Keeps no timers and no sockets.
 */
export class OidcClient implements OidcProvider, PolicyState {
  readonly id: string;
  readonly issuer: string;
  readonly whom: string;
  readonly #options: OidcClientOptions;
  #discovered: Discovered | null = null;
  #discovery: Promise<ProviderAnswer<Discovered>> | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;
  #failing: string | null = null;
  /** The secret is sent in the body, where the configuration leaves it open. */
  #inBody = false;

  constructor(options: OidcClientOptions) {
    this.id = options.id;
    this.issuer = options.issuer;
    this.whom = `OpenID provider ${options.issuer}`;
    this.#options = options;
  }

  get pages(): ProviderPages | null {
    if (this.#discovered === null) return null;
    if (this.#options.clock.monotonic() - this.#discovered.at > REFRESH_MS) void this.#ask();
    return this.#discovered.pages;
  }

  async discover(): Promise<ProviderAnswer<ProviderPages>> {
    const answer = await this.#known();
    return answer.ok ? { ok: true, value: answer.value.pages } : answer;
  }

  redeem(callback: string, attempt: LoginAttempt): Promise<ProviderAnswer<ProviderTokens>> {
    return this.#with(async (library, configuration) => {
      const checks = { expectedState: attempt.state, expectedNonce: attempt.nonce, pkceCodeVerifier: attempt.verifier };
      const tokens = await library.authorizationCodeGrant(configuration, new URL(callback), {
        ...checks,
        idTokenExpected: true,
      });
      return this.#tokens(library, configuration, tokens);
    });
  }

  async refresh(refreshToken: string, subject: string): Promise<ProviderAnswer<ProviderTokens>> {
    const answer = await this.#with(async (library, configuration) => {
      const tokens = await library.refreshTokenGrant(configuration, refreshToken);
      // OpenID Connect Core 1.0 §12.2: never somebody else.
      const claims = tokens.claims();
      if (claims !== undefined && claims.sub !== subject) return null;
      return this.#tokens(library, configuration, tokens);
    });
    if (answer.ok) return answer.value === null ? { ok: false, why: 'refused' } : { ok: true, value: answer.value };
    return answer;
  }

  status(): Readonly<Record<string, string | boolean | null>> {
    return { issuer: this.issuer, discovered: this.#discovered !== null, failing: this.#failing };
  }

  async #tokens(library: Library, configuration: Configuration, tokens: Tokens): Promise<ProviderTokens> {
    const claims = tokens.claims();
    const told =
      claims === undefined || !this.#options.userinfo
        ? null
        : await library.fetchUserInfo(configuration, tokens.access_token, claims.sub);
    const seconds = tokens.expiresIn();
    return {
      // What is signed goes first.
      claims: claims === undefined ? null : { ...told, ...claims },
      accessToken: tokens.access_token,
      idToken: tokens.id_token ?? null,
      refreshToken: tokens.refresh_token ?? null,
      expiresInMs: seconds === undefined ? null : seconds * 1000,
    };
  }

  async #with<T>(work: (library: Library, configuration: Configuration) => Promise<T>): Promise<ProviderAnswer<T>> {
    const known = await this.#known();
    if (!known.ok) return known;
    const client = await library();
    try {
      const value = await this.#eitherWay(() => work(client, known.value.configuration));
      this.#tell(null);
      return { ok: true, value };
    } catch (error) {
      const failure = failureOf(error);
      // That of a user is no news.
      if (failure.why === 'unavailable') this.#tell(failure);
      return { ok: false, why: failure.why };
    }
  }

  /**
   * Providers often want the secret where the client was registered to send it, and only there; some know Basic, but not that user and password are encoded
   * in it (RFC 6749 §2.3.1). A refusal costs no code, so the other way is tried once, and kept if it is right.
   */
  async #eitherWay<T>(work: () => Promise<T>): Promise<T> {
    const { clientSecret, clientAuthentication } = this.#options;
    const inBody = this.#inBody;
    try {
      return await work();
    } catch (error) {
      if (clientSecret === null || clientAuthentication !== 'auto' || !isClientRefused(error)) throw error;
      // Whoever else was refused at the same time has found out the same.
      this.#inBody = !inBody;
      return work();
    }
  }

  async #known(): Promise<ProviderAnswer<Discovered>> {
    if (this.#discovered === null) return this.#ask();
    if (this.#options.clock.monotonic() - this.#discovered.at > REFRESH_MS) void this.#ask();
    return { ok: true, value: this.#discovered };
  }

  /** One at a time, however many want to know. */
  #ask(): Promise<ProviderAnswer<Discovered>> {
    if (this.#discovery !== null) return this.#discovery;
    if (this.#options.clock.monotonic() - this.#failedAt < PAUSE_MS) {
      return Promise.resolve({ ok: false, why: 'unavailable' });
    }
    this.#discovery = this.#discover().finally(() => {
      this.#discovery = null;
    });
    return this.#discovery;
  }

  async #discover(): Promise<ProviderAnswer<Discovered>> {
    const { issuer, clientId, clock, fetch } = this.#options;
    try {
      const client = await library();
      const execute = [client.enableNonRepudiationChecks];
      // Who may be asked without TLS was settled when the configuration was read.
      if (issuer.startsWith('http:')) execute.push(client.allowInsecureRequests);
      const options = { [client.customFetch]: fetch, execute, timeout: OPERATION_SECONDS };
      const configuration = await client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        this.#authentication(client),
        options,
      );
      // Throws for one that has no login.
      client.buildAuthorizationUrl(configuration, {});
      this.#discovered = { configuration, pages: pagesOf(client, configuration), at: clock.monotonic() };
      this.#tell(null);
      return { ok: true, value: this.#discovered };
    } catch (error) {
      this.#failedAt = clock.monotonic();
      this.#tell({ why: 'unavailable', detail: `metadata: ${failureOf(error).detail}` });
      return { ok: false, why: 'unavailable' };
    }
  }

  #authentication({ ClientSecretBasic, ClientSecretPost, None }: Library): ClientAuth {
    const { clientSecret, clientAuthentication } = this.#options;
    if (clientSecret === null) return None();
    const basic = ClientSecretBasic(clientSecret);
    const post = ClientSecretPost(clientSecret);
    if (clientAuthentication !== 'auto') return clientAuthentication === 'basic' ? basic : post;
    return (...request) => (this.#inBody ? post : basic)(...request);
  }

  /** Once when it begins to fail, and once when it does no longer. */
  #tell(failure: OidcFailure | null): void {
    const wasFailing = this.#failing !== null;
    this.#failing = failure === null ? null : failure.detail;
    if (wasFailing === (failure !== null)) return;
    const { observer, owner, issuer } = this.#options;
    const about = { policy: 'auth', owner };
    if (failure === null)
      observer({ ...about, event: 'provider-back', level: 'info', detail: `${issuer} answers again` });
    else observer({ ...about, event: 'provider-failed', level: 'warn', detail: `${issuer}: ${failure.detail}` });
  }
}

function library(): Promise<Library> {
  loaded ??= import('openid-client');
  return loaded;
}

function pagesOf(client: Library, configuration: Configuration): ProviderPages {
  const hasLogout = configuration.serverMetadata().end_session_endpoint !== undefined;
  return {
    loginUrl: (parameters) => client.buildAuthorizationUrl(configuration, parameters).href,
    logoutUrl: (parameters) => (hasLogout ? client.buildEndSessionUrl(configuration, parameters).href : null),
  };
}
