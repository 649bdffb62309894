import type { Client, RequestHead } from '../../../src/exchange/exchange.ts';
import type { Compiled } from '../../../src/policy/compiled.ts';
import { compileTemplate, type Place, render } from '../../../src/policy/template.ts';
import type { Variables } from '../../../src/policy/variables.ts';
import { certificateFacts } from '../../kit/client-certificate.ts';

interface Facts extends Partial<Omit<Variables, 'request' | 'client'>> {
  readonly request?: Partial<RequestHead>;
  readonly client?: Partial<Client>;
}

/** What templates read of `GET https://shop.test:8443/a/b?x=1&y=two` by 192.0.2.7, with `facts` instead where given. */
export function variables(facts: Facts = {}): Variables {
  const { request, client, ...rest } = facts;
  return {
    path: '/a/b',
    query: 'x=1&y=two',
    host: 'shop.test',
    captures: [],
    requestId: 'id-1',
    route: 'shop',
    pool: null,
    endpoint: null,
    identity: null,
    ...rest,
    request: {
      method: 'GET',
      target: '/a/b?x=1&y=two',
      authority: 'shop.test:8443',
      scheme: 'https',
      version: '1.1',
      headers: ['Host', 'shop.test:8443', 'X-Tag', 'one', 'x-tag', 'two', 'Cookie', 'a=1; session=s3'],
      ...request,
    },
    client: {
      address: '192.0.2.7',
      peer: '10.0.0.1',
      peerPort: 50_000,
      localAddress: '127.0.0.1',
      trusted: true,
      forwardedBy: 'x-forwarded-for',
      localPort: 8443,
      tls: {
        serverName: 'shop.test',
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        clientCertificate: certificateFacts({ subject: 'CN=Zoë,O=Acme', names: ['DNS:a.test', 'URI:spiffe://a/b'] }),
        refusal: null,
      },
      ...client,
    },
  };
}

/** The rendered template; captures are those of `facts`. */
export function rendered(text: string, place: Place, facts: Variables = variables()): string {
  const result = compileTemplate(text, namesOf(facts.captures), place);
  if (!result.ok) throw new Error(result.message);
  return render(result.template, facts);
}

/** What is wrong with the template, or "". */
export function mistakeIn(text: string, place: Place, captures: readonly string[] = []): string {
  const result = compileTemplate(text, captures, place);
  return result.ok ? '' : result.message;
}

/** The compiled policy; what is wrong with it fails the test. */
export function working<T>(result: Compiled<T>): T {
  if (!result.ok) throw new Error(`${result.path.join('.')}: ${result.message}`);
  return result.value;
}

/** What is wrong with the policy, as `path: message` lines. */
export function problemsOf(result: Compiled<unknown>): readonly string[] {
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** A query parameter as any client may send it. */
export function asQuery(name: string, value: string): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

function namesOf(captures: readonly string[]): readonly string[] {
  return captures.filter((_, index) => index % 2 === 0);
}
