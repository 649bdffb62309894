import type { PolicyRequest } from '../../../src/policy/admit.ts';
import type { AuthResult } from '../../../src/policy/auth/authenticator.ts';
import type { LoginAttempt } from '../../../src/policy/auth/oidc/login-attempt.ts';
import { OidcAuthenticator } from '../../../src/policy/auth/oidc/oidc.ts';
import type {
  OidcProvider,
  ProviderAnswer,
  ProviderPages,
  ProviderTokens,
} from '../../../src/policy/auth/oidc/provider.ts';
import { Refreshes } from '../../../src/policy/auth/oidc/refreshes.ts';
import { Seal } from '../../../src/policy/auth/oidc/seal.ts';
import { Sessions, type SessionsOptions } from '../../../src/policy/auth/oidc/sessions.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { variables } from './exchange-facts.ts';

export const NAVIGATION = ['Accept', 'text/html,application/xhtml+xml', 'Sec-Fetch-Mode', 'navigate'];
export const HOUR = 3_600_000;

const TOKENS: ProviderTokens = {
  claims: { sub: 'u1', name: 'Ann', email: 'ann@shop.test', groups: ['staff', 'admin'], secretClaim: 'x' },
  accessToken: 'access-1',
  idToken: 'id-1',
  refreshToken: 'refresh-1',
  expiresInMs: 300_000,
};

/** A provider that says what a test tells it to say. */
export class ScriptedProvider implements OidcProvider {
  readonly issuer = 'https://login.test';
  readonly whom = 'OpenID provider https://login.test';
  isDown = false;
  hasLogout = true;
  known = true;
  tokens: ProviderTokens = TOKENS;
  redeemAnswer: ProviderAnswer<ProviderTokens> | null = null;
  refreshAnswer: ProviderAnswer<ProviderTokens> | null = null;
  readonly redeemed: { readonly callback: string; readonly attempt: LoginAttempt }[] = [];
  readonly refreshed: string[] = [];
  discoveries = 0;

  get pages(): ProviderPages | null {
    return this.known ? this.#pages : null;
  }

  async discover(): Promise<ProviderAnswer<ProviderPages>> {
    this.discoveries += 1;
    if (this.isDown) return { ok: false, why: 'unavailable' };
    this.known = true;
    return { ok: true, value: this.#pages };
  }

  async redeem(callback: string, attempt: LoginAttempt): Promise<ProviderAnswer<ProviderTokens>> {
    this.redeemed.push({ callback, attempt });
    return this.redeemAnswer ?? { ok: true, value: this.tokens };
  }

  async refresh(refreshToken: string): Promise<ProviderAnswer<ProviderTokens>> {
    this.refreshed.push(refreshToken);
    return this.refreshAnswer ?? { ok: true, value: this.tokens };
  }

  readonly #pages: ProviderPages = {
    loginUrl: (parameters) => `${this.issuer}/auth?${new URLSearchParams(parameters)}`,
    logoutUrl: (parameters) => (this.hasLogout ? `${this.issuer}/logout?${new URLSearchParams(parameters)}` : null),
  };
}

export interface SceneOptions extends Partial<Omit<SessionsOptions, 'seals' | 'clock'>> {
  readonly secrets?: readonly string[];
  readonly afterLogout?: string | null;
}

/** A policy for `https://shop.test`, with its provider and time in the test's hand. */
export class OidcScene {
  readonly clock = new ManualClock();
  readonly provider = new ScriptedProvider();
  readonly oidc: OidcAuthenticator;

  constructor({ secrets = ['first secret'], afterLogout = null, ...over }: SceneOptions = {}, before?: OidcScene) {
    if (before !== undefined) {
      this.clock = before.clock;
      this.provider = before.provider;
    }
    const { clock, provider } = this;
    const limits = over.limits ?? { idleMs: HOUR, absoluteMs: 8 * HOUR };
    const sessions = new Sessions({
      ...{ clock, label: 'label', limits, origin: null },
      cookie: { name: 'sid', domain: null, path: '/', sameSite: 'lax' },
      ...{ claims: ['sub', 'email', 'groups'], userClaim: 'sub', forwardToken: 'none' },
      ...over,
      seals: { session: new Seal(secrets, 'session'), login: new Seal(secrets, 'login') },
    });
    this.oidc = new OidcAuthenticator({
      ...{
        clock,
        provider,
        sessions,
        limits,
        clientId: 'gateway',
        forwardsToken: false,
        parameters: { scope: 'openid' },
        afterLogout,
      },
      refreshes: new Refreshes(clock),
      redirectPath: '/.headgate/oidc/callback',
      logoutPath: '/.headgate/oidc/logout',
    });
  }
}

export interface Visit {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly hypothetical?: boolean;
  readonly scheme?: 'http' | 'https';
}

export interface Visited {
  /** Never `ask`: it was waited for. */
  readonly result: AuthResult;
  readonly setCookies: readonly string[];
  readonly waited: boolean;
  /** `Location` of a reply, or ''. */
  readonly location: string;
  /** Status of a reply or refusal and its reason, or the user. */
  readonly says: string;
}

/** A browser with its cookies. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #scene: OidcScene;

  constructor(scene: OidcScene) {
    this.#scene = scene;
  }

  /** The same cookies in front of another gateway. */
  before(scene: OidcScene): Browser {
    const other = new Browser(scene);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  async visit(target: string, visit: Visit = {}): Promise<Visited> {
    const { request, setCookies } = this.#request(target, visit);
    let result = this.#scene.oidc.authenticate(request);
    const waited = result.kind === 'ask';
    while (result.kind === 'ask') {
      const { begin } = result;
      result = await new Promise<AuthResult>((resolve) => begin(resolve));
    }
    for (const field of setCookies) this.#take(field);
    const location = result.kind === 'reply' ? locationOf(result.reply.headers) : '';
    return { result, setCookies, waited, location, says: wordsOf(result) };
  }

  /** Begins a login at `target`; the callback that the provider would send the browser to. */
  async begin(target: string): Promise<string> {
    const { location } = await this.visit(target);
    const { searchParams } = new URL(location);
    return `/.headgate/oidc/callback?code=c1&state=${searchParams.get('state')}`;
  }

  /** A whole login that began at `/start`. */
  async logIn(): Promise<Visited> {
    return this.visit(await this.begin('/start'));
  }

  request(target: string, visit: Visit = {}): PolicyRequest {
    return this.#request(target, visit).request;
  }

  #request(target: string, { method = 'GET', headers = NAVIGATION, hypothetical = false, scheme = 'https' }: Visit) {
    const setCookies: string[] = [];
    const [path = '', query = null] = target.split(/\?(.*)/s);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = ['Host', 'shop.test', ...headers, ...(cookie === '' ? [] : ['Cookie', cookie])];
    const facts = variables({ path, query, request: { method, authority: 'shop.test', scheme, headers: all } });
    const request = {
      ...facts,
      client: { ...facts.client, trusted: false },
      ...{ startedAt: 0, startedAtEpoch: 0, hypothetical, note: () => {}, atEnd: () => {} },
      addResponseField: (name: string, value: string) => {
        if (name === 'Set-Cookie') setCookies.push(value);
      },
    };
    return { request: request as unknown as PolicyRequest, setCookies };
  }

  #take(field: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
    if (/; Max-Age=0(;|$)/.test(field)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function locationOf(headers: readonly string[]): string {
  return headers[headers.indexOf('Location') + 1] ?? '';
}

function wordsOf(result: AuthResult): string {
  if (result.kind === 'known') return result.identity.user;
  if (result.kind === 'refused') return `${result.error.status} ${result.error.reason}`;
  return result.kind === 'reply' ? `${result.reply.status} ${result.reply.reason}` : 'ask';
}
