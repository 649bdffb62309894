import { describe, expect, test } from 'vitest';
import type { LoadedCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { loadCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { CertificateSelection, type SelectionOptions } from '../../../../src/control/certificates/selection.ts';
import type { CertificateSource, ServerCertificate } from '../../../../src/exchange/certificate.ts';
import { type MintOptions, mint } from '../../../kit/pki.ts';

let count = 0;

async function certificate(names: readonly string[], over: Partial<MintOptions> = {}): Promise<LoadedCertificate> {
  const { cert, key } = await mint({ names, ...over });
  count += 1;
  const content = { parts: [Buffer.from(cert), Buffer.from(key)], digest: `digest ${count}` };
  const result = loadCertificate({ certificate: 'c', key: 'k', passphrase: null }, content);
  if (!result.ok) throw new Error('The kit made a broken certificate');
  return result.certificate;
}

function select(
  certificates: readonly LoadedCertificate[],
  over: Partial<SelectionOptions> & { quarantined?: readonly string[] } = {},
): CertificateSelection {
  const { quarantined = [], ...options } = over;
  return new CertificateSelection(
    { certificates, quarantined },
    { providers: [], unknownNames: 'default', staple: null, ...options },
  );
}

/** What a source shows for a name: the certificates' key pairs. */
function shown(found: ServerCertificate | null | Promise<ServerCertificate | null>) {
  if (found instanceof Promise) throw new Error('Nobody should have to wait');
  return found?.pairs ?? null;
}

function provider(name: string, found: ServerCertificate, later = false): CertificateSource {
  return {
    certificateFor: (asked) => {
      const answer = asked === name ? found : null;
      return later ? Promise.resolve(answer) : answer;
    },
  };
}

const minted: ServerCertificate = { pairs: [{ certificate: 'minted', key: 'k' }], ocspResponse: null };

describe('a certificate is chosen by server name', () => {
  test('exact before wildcard, a wildcard for one label only (RFC 9525 §6.3)', async () => {
    const first = await certificate(['first.test']);
    const wildcard = await certificate(['*.shop.test']);
    const exact = await certificate(['api.shop.test']);
    const source = select([first, wildcard, exact]);
    expect(shown(source.certificateFor('api.shop.test'))).toEqual([exact.pair]);
    expect(shown(source.certificateFor('www.shop.test'))).toEqual([wildcard.pair]);
    for (const unknown of ['shop.test', 'a.b.shop.test', '.shop.test', 'test', '']) {
      expect(shown(source.certificateFor(unknown))).toEqual([first.pair]);
    }
  });

  test('clients without SNI get the first one', async () => {
    const [first, second] = [await certificate(['a.test']), await certificate(['b.test'])];
    expect(shown(select([first, second]).certificateFor(null))).toEqual([first.pair]);
    expect(shown(select([first, second], { unknownNames: 'refuse' }).certificateFor(null))).toEqual([first.pair]);
  });

  test('unknown names are refused when the listener says so', async () => {
    const source = select([await certificate(['a.test'])], { unknownNames: 'refuse' });
    expect(shown(source.certificateFor('b.test'))).toBeNull();
    expect(shown(source.certificateFor('a.test'))).not.toBeNull();
  });

  test('ECDSA and RSA for one name are shown together, of two alike the first', async () => {
    const ecdsa = await certificate(['a.test', 'b.test']);
    const rsa = await certificate(['a.test'], { kind: 'rsa' });
    const again = await certificate(['a.test']);
    const source = select([ecdsa, rsa, again]);
    expect(shown(source.certificateFor('a.test'))).toEqual([ecdsa.pair, rsa.pair]);
    expect(shown(source.certificateFor('b.test'))).toEqual([ecdsa.pair]);
    expect(shown(source.certificateFor(null))).toEqual([ecdsa.pair, rsa.pair]);
  });

  test('10 000 names are found in as many steps as two', async () => {
    const [one, two] = [await certificate(['one.test']), await certificate(['two.test'])];
    const names = Array.from({ length: 10_000 }, (_, i) => `shop-${i}.test`);
    const many = names.map((name, i) => ({ ...one, names: [name], digest: `many ${i}` }));
    const source = select([...many, two]);
    expect(shown(source.certificateFor('shop-9999.test'))).toEqual([one.pair]);
    expect(shown(source.certificateFor('two.test'))).toEqual([two.pair]);
    // Choosing may not look at the certificates again: were it a scan, it would come across this.
    for (const certificate of many) Object.defineProperty(certificate, 'names', { get: () => expect.fail('a scan') });
    expect(shown(source.certificateFor('shop-5000.test'))).toEqual([one.pair]);
  });
});

describe('names that no file has', () => {
  test('are asked for in turn, before the default', async () => {
    const source = select([await certificate(['a.test'])], {
      providers: [provider('x.test', minted), provider('b.test', minted)],
    });
    expect(source.certificateFor('b.test')).toBe(minted);
    expect(shown(source.certificateFor('a.test'))).not.toEqual(minted.pairs);
    expect(shown(source.certificateFor('c.test'))).not.toEqual(minted.pairs);
  });

  test('are waited for', async () => {
    const own = await certificate(['a.test']);
    const source = select([own], { providers: [provider('x.test', minted, true), provider('b.test', minted, true)] });
    expect(await source.certificateFor('b.test')).toBe(minted);
    expect((await source.certificateFor('c.test'))?.pairs).toEqual([own.pair]);
  });

  test('and clients without SNI get what a provider has when there is no file', () => {
    const any: CertificateSource = { certificateFor: () => minted };
    expect(select([], { providers: [any] }).certificateFor(null)).toBe(minted);
    expect(select([]).certificateFor(null)).toBeNull();
    expect(select([]).certificateFor('a.test')).toBeNull();
  });
});

describe('names of a certificate that is broken', () => {
  test('are refused, not shown another certificate', async () => {
    const source = select([await certificate(['a.test'])], { quarantined: ['b.test', '*.c.test'] });
    expect(shown(source.certificateFor('b.test'))).toBeNull();
    expect(shown(source.certificateFor('x.c.test'))).toBeNull();
    expect(shown(source.certificateFor('d.test'))).not.toBeNull();
  });

  test('are served by another one that has them too', async () => {
    const wildcard = await certificate(['*.a.test']);
    const source = select([wildcard], { quarantined: ['b.a.test'] });
    expect(shown(source.certificateFor('b.a.test'))).toEqual([wildcard.pair]);
  });
});

describe('what is shown keeps its identity', () => {
  test('until something of it changes', async () => {
    const [a, b] = [await certificate(['a.test']), await certificate(['b.test'])];
    const source = select([a, b]);
    const [forA, forB] = [source.certificateFor('a.test'), source.certificateFor('b.test')];
    expect(source.certificateFor('a.test')).toBe(forA);
    source.replace({ certificates: [a, await certificate(['b.test'])], quarantined: [] });
    expect(source.certificateFor('a.test')).toBe(forA);
    expect(source.certificateFor('b.test')).not.toBe(forB);
  });
});

test('a response is stapled to a certificate that is shown alone, asked for at each handshake', async () => {
  const [alone, ecdsa, rsa] = [
    await certificate(['a.test']),
    await certificate(['b.test']),
    await certificate(['b.test'], { kind: 'rsa' }),
  ];
  let response: Uint8Array | null = null;
  const source = select([alone, ecdsa, rsa], { staple: (of) => (of === alone ? response : null) });
  const found = source.certificateFor('a.test') as ServerCertificate;
  expect(found.ocspResponse?.()).toBeNull();
  response = Buffer.from('good');
  expect(found.ocspResponse?.()).toBe(response);
  expect((source.certificateFor('b.test') as ServerCertificate).ocspResponse).toBeNull();
});
