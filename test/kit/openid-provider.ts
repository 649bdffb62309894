import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { stopAfterTest } from './stop.ts';

export const CLIENT_SECRET = 'client-secret-of-the-gateway';

interface Grant {
  readonly nonce: string | null;
  readonly challenge: string;
  readonly redirectUri: string;
}

/** One for all: to make one takes longer than a login. */
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const forgedKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/**
 * An OpenID provider that logs everybody in at once, as whom a test says, and keeps to the rules: codes are for one use, with their verifier and their
 * redirect URI; so are refresh tokens. What it does wrong is what a test tells it to.
 */
export class OpenIdProvider {
  /** Of the ID token, beside what belongs in each. */
  claims: Record<string, unknown> = { sub: 'u1', name: 'Ann', email: 'ann@shop.test', groups: ['staff'] };
  userinfo: Record<string, unknown> = {};
  expiresIn = 300;
  /** Every connection is reset. */
  isDown = false;
  refuses: 'login' | 'refresh' | null = null;
  lies: 'nonce' | 'issuer' | 'audience' | 'signature' | 'subject' | null = null;
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #codes = new Map<string, Grant>();
  readonly #refreshTokens = new Set<string>();

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How often `path` was asked for. */
  count(path: string): number {
    return this.asked.filter((asked) => asked === path).length;
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** Where a browser is sent to that comes to the login at `url`, as whoever it is. */
  logIn(url: string): string {
    const { searchParams } = new URL(url);
    const parameter = (name: string): string => searchParams.get(name) ?? '';
    const back = new URL(parameter('redirect_uri'));
    back.searchParams.set('state', parameter('state'));
    if (this.refuses === 'login') {
      back.searchParams.set('error', 'access_denied');
      return back.href;
    }
    const code = randomBytes(16).toString('base64url');
    const challenge = parameter('code_challenge_method') === 'S256' ? parameter('code_challenge') : '';
    this.#codes.set(code, { nonce: searchParams.get('nonce'), challenge, redirectUri: parameter('redirect_uri') });
    back.searchParams.set('code', code);
    return back.href;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.issuer).pathname;
    this.asked.push(path);
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    const [status, content] = this.#content(path, new URLSearchParams(await text(request)), request);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
  }

  #content(path: string, form: URLSearchParams, { headers }: IncomingMessage): readonly [number, unknown] {
    const { issuer } = this;
    if (path === '/jwks') {
      return [200, { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }] }];
    }
    if (path === '/userinfo') return [200, { sub: this.claims['sub'], ...this.userinfo }];
    if (path === '/token') {
      const [, encoded = ''] = headers.authorization?.split(' ') ?? [];
      // RFC 6749 §2.3.1: encoded as in a form.
      const credentials = decodeURIComponent(Buffer.from(encoded, 'base64').toString());
      return credentials === `gateway:${CLIENT_SECRET}` ? this.#token(form) : [401, { error: 'invalid_client' }];
    }
    if (path !== '/.well-known/openid-configuration') return [404, {}];
    const endpoints = {
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: `${issuer}/logout`,
    };
    return [
      200,
      { issuer, ...endpoints, response_types_supported: ['code'], id_token_signing_alg_values_supported: ['ES256'] },
    ];
  }

  #token(form: URLSearchParams): readonly [number, unknown] {
    if (form.get('grant_type') === 'refresh_token') {
      const isKnown = this.#refreshTokens.delete(form.get('refresh_token') ?? '');
      if (!isKnown || this.refuses === 'refresh') return [400, { error: 'invalid_grant' }];
      return [200, this.#tokens(null)];
    }
    const code = form.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant === undefined || grant.challenge !== verifier || grant.redirectUri !== form.get('redirect_uri')) {
      return [400, { error: 'invalid_grant' }];
    }
    return [200, this.#tokens(grant.nonce)];
  }

  #tokens(nonce: string | null): Record<string, unknown> {
    const refreshToken = randomBytes(16).toString('base64url');
    this.#refreshTokens.add(refreshToken);
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      ...{ iss: this.issuer, aud: 'gateway', iat: now, exp: now + 3600, ...this.claims },
      ...(nonce === null ? {} : { nonce }),
      ...(this.lies === 'nonce' ? { nonce: 'another' } : {}),
      ...(this.lies === 'issuer' ? { iss: 'https://evil.test' } : {}),
      ...(this.lies === 'audience' ? { aud: 'another' } : {}),
      ...(this.lies === 'subject' ? { sub: 'another' } : {}),
    };
    return {
      access_token: `access-${randomBytes(8).toString('hex')}`,
      token_type: 'Bearer',
      expires_in: this.expiresIn,
      refresh_token: refreshToken,
      id_token: signed(payload, this.lies === 'signature' ? forgedKey.privateKey : key.privateKey),
    };
  }
}

/** Closed after the test. */
export async function openIdProvider(): Promise<OpenIdProvider> {
  const provider = new OpenIdProvider();
  await provider.open();
  stopAfterTest(() => provider.close());
  return provider;
}

function signed(payload: Readonly<Record<string, unknown>>, privateKey: typeof key.privateKey): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ alg: 'ES256', kid: 'k1' })}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}
