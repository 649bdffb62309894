import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../src/control/http-client.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A request as it came in, JWS opened but not verified: pebble does that. */
export interface AcmeRequest {
  /** `new-account`, `new-order`, `order`, `authorization`, `challenge`, `finalize`, `certificate`, `account`. */
  readonly resource: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>> | null;
}

/** What a script answers in place of the authority's own answer. */
export type Answered = { readonly status: number; readonly headers?: readonly string[]; readonly json?: unknown };

/** Sees every signed request before the authority does; `null` lets it through, an error is a connection that broke. */
export type Script = (request: AcmeRequest) => Answered | Error | null | Promise<Answered | Error | null>;

/** An ACME authority without sockets, for what pebble can't be made to do: everything goes well unless the script says otherwise. */
export class AcmeAuthority {
  /** Begin of all of its URLs. */
  readonly base: string;
  readonly directoryUrl: string;
  readonly requests: AcmeRequest[] = [];
  /** Nonces that were given out, and not used yet. */
  readonly nonces = new Set<string>();
  script: Script = () => null;
  /** How often an order is `processing` before it is valid. */
  processing = 0;
  #nonce = 0;
  #accounts = 0;
  #names: readonly string[] = [];
  #proved = false;
  #certificate: string | null = null;

  constructor(base = 'https://ca.test') {
    this.base = base;
    this.directoryUrl = `${base}/directory`;
  }

  readonly http: HttpClient = async (request) => {
    if (request.url === this.directoryUrl) return this.#answer({ status: 200, json: directoryAt(this.base) });
    if (request.method === 'HEAD') return this.#answer({ status: 200 });
    const opened = open(request);
    this.requests.push(opened);
    const nonce = String(opened.header['nonce']);
    const scripted = await this.script(opened);
    if (scripted instanceof Error) throw scripted;
    if (!this.nonces.delete(nonce)) return this.#answer(problem(400, 'badNonce', 'seen before'));
    return this.#answer(scripted ?? (await this.#serve(opened)));
  };

  /** How often each resource was asked for. */
  count(resource: string): number {
    return this.requests.filter((request) => request.resource === resource).length;
  }

  async #serve({ resource, payload }: AcmeRequest): Promise<Answered> {
    switch (resource) {
      case 'new-account':
        this.#accounts += 1;
        return {
          status: 201,
          headers: ['Location', `${this.base}/account/${this.#accounts}`],
          json: { status: 'valid' },
        };
      case 'new-order':
        this.#names = ((payload?.['identifiers'] ?? []) as { value: string }[]).map(({ value }) => value);
        this.#proved = false;
        this.#certificate = null;
        return { status: 201, headers: ['Location', `${this.base}/order/1`], json: this.#order('pending') };
      case 'authorization':
        return {
          status: 200,
          json: authorization(this.base, this.#names[0] ?? '', { status: this.#proved ? 'valid' : 'pending' }),
        };
      case 'challenge':
        this.#proved = true;
        return { status: 200, json: {} };
      case 'finalize':
        this.#certificate = await issue(String(payload?.['csr']));
        return { status: 200, json: this.#order('processing') };
      case 'certificate':
        return { status: 200, json: this.#certificate };
      case 'order':
        return { status: 200, json: this.#order(this.#status()) };
      default:
        return { status: 200, json: {} };
    }
  }

  #status(): string {
    if (this.#certificate === null) return this.#proved ? 'ready' : 'pending';
    this.processing -= 1;
    return this.processing >= 0 ? 'processing' : 'valid';
  }

  #order(status: string): object {
    return {
      status,
      authorizations: [`${this.base}/authorization/1`],
      finalize: `${this.base}/finalize/1`,
      ...(status === 'valid' ? { certificate: `${this.base}/certificate/1` } : {}),
    };
  }

  #answer({ status, headers = [], json }: Answered): HttpAnswer {
    this.#nonce += 1;
    const nonce = `nonce-${this.#nonce}`;
    this.nonces.add(nonce);
    const text = typeof json === 'string' ? json : JSON.stringify(json ?? {});
    return { status, headers: ['Replay-Nonce', nonce, ...headers], body: Buffer.from(text) };
  }
}

/** An answer that refuses, as RFC 8555 §6.7 writes it. */
export function problem(status: number, type: string, detail: string, headers: readonly string[] = []): Answered {
  return { status, headers, json: { type: `urn:ietf:params:acme:error:${type}`, detail } };
}

function directoryAt(base: string): object {
  return { newNonce: `${base}/new-nonce`, newAccount: `${base}/new-account`, newOrder: `${base}/new-order` };
}

/** An authorization of `name`, with a challenge of each kind. */
export function authorization(
  base: string,
  name: string,
  { status, error }: { readonly status: string; readonly error?: object },
): object {
  const challenge = (type: string) => ({
    type,
    url: `${base}/challenge/${type}`,
    status,
    token: `token-for-${type}-1`,
    ...(error === undefined ? {} : { error }),
  });
  return {
    status,
    identifier: { type: 'dns', value: name },
    challenges: [challenge('http-01'), challenge('tls-alpn-01'), { type: 'from-the-future' }],
  };
}

function open({ url, body }: HttpRequest): AcmeRequest {
  const jws = JSON.parse(Buffer.from(body ?? []).toString()) as Record<'protected' | 'payload', string>;
  const payload = Buffer.from(jws.payload, 'base64url').toString();
  return {
    resource: new URL(url).pathname.split('/')[1] ?? '',
    header: JSON.parse(Buffer.from(jws.protected, 'base64url').toString()),
    payload: payload === '' ? null : JSON.parse(payload),
  };
}

/** What was asked for, signed by an authority that nobody remembers. */
async function issue(csr: string): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(Buffer.from(csr, 'base64url'));
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    issuer: 'CN=Test authority',
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 90 * 86_400_000),
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    signingKey: keys.privateKey,
    extensions: request.extensions,
  });
  return certificate.toString('pem');
}
