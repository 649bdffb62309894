import { beforeAll, describe, expect, test } from 'vitest';
import { loadCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { type OcspSubject, ocspSubjectOf } from '../../../../src/control/certificates/ocsp-request.ts';
import { judgeResponse } from '../../../../src/control/certificates/ocsp-response.ts';
import { type OcspAnswer, ocspError, ocspResponse } from '../../../kit/ocsp.ts';
import { type Minted, type MintOptions, mint } from '../../../kit/pki.ts';

const HOUR_MS = 3_600_000;

let root: Minted;
let leaf: Minted;
let other: Minted;
let subject: OcspSubject;

function load({ cert, key }: Minted, issuer: Minted | null) {
  const parts = [Buffer.from(`${cert}${issuer?.cert ?? ''}`), Buffer.from(key)];
  const result = loadCertificate({ certificate: 'c', key: 'k', passphrase: null }, { parts, digest: 'd' });
  if (!result.ok) throw new Error('The kit made a broken certificate');
  return result.certificate;
}

beforeAll(async () => {
  root = await mint({ names: null, commonName: 'Root' });
  leaf = await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test/x' });
  other = await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test/x' });
  const found = ocspSubjectOf(load(leaf, root));
  if (typeof found === 'string') throw new Error(found);
  subject = found;
});

function verdict(over: Partial<OcspAnswer>, nowMs = Date.now()): string {
  const result = judgeResponse(ocspResponse({ of: leaf, issuer: root, ...over }), subject, nowMs);
  return result.ok ? 'good' : result.why;
}

async function delegate(over: Partial<MintOptions>): Promise<Minted> {
  return mint({ names: null, commonName: 'Responder', issuer: root, ocspSigning: true, ...over });
}

describe('an OCSP response (RFC 6960 §3.2)', () => {
  test('by the issuer is good, named by name or by key, until its end', () => {
    const nextUpdate = (Math.floor(Date.now() / 1000) + 7200) * 1000;
    for (const responderId of ['name', 'key'] as const) {
      const bytes = ocspResponse({ of: leaf, issuer: root, responderId, nextUpdate });
      expect(judgeResponse(bytes, subject, Date.now())).toEqual({ ok: true, untilMs: nextUpdate });
    }
  });

  test('without an end does for an hour', () => {
    const bytes = ocspResponse({ of: leaf, issuer: root, nextUpdate: null });
    const nowMs = Date.now();
    expect(judgeResponse(bytes, subject, nowMs)).toEqual({ ok: true, untilMs: nowMs + HOUR_MS });
  });

  test('of an RSA issuer is good too', async () => {
    const issuer = await mint({ names: null, commonName: 'RSA root', kind: 'rsa' });
    const of = await mint({ names: ['a.test'], issuer, ocsp: 'http://ocsp.test' });
    const found = ocspSubjectOf(load(of, issuer));
    if (typeof found === 'string') throw new Error(found);
    for (const responderId of ['name', 'key'] as const) {
      expect(judgeResponse(ocspResponse({ of, issuer, responderId }), found, Date.now()).ok).toBe(true);
    }
  });

  test('is taken from whom the issuer authorised, and from nobody else', async () => {
    expect(verdict({ signer: await delegate({}) })).toBe('good');
    expect(verdict({ signer: await delegate({}), responderId: 'key' })).toBe('good');
    expect(verdict({ signer: await delegate({ ocspSigning: false }) })).toBe('wrong-signature');
    expect(verdict({ signer: await delegate({ notAfter: new Date(Date.now() - 1000) }) })).toBe('wrong-signature');
    const stranger = await mint({ names: null, commonName: 'Root' });
    expect(verdict({ signer: await delegate({ issuer: stranger }) })).toBe('wrong-signature');
    expect(verdict({ signer: stranger })).toBe('wrong-signature');
    expect(verdict({ signer: leaf })).toBe('wrong-signature');
  });

  test('about another certificate is not taken', async () => {
    expect(verdict({ of: other })).toBe('other-certificate');
    const twin = await mint({ names: null, commonName: 'Root' });
    expect(judgeResponse(ocspResponse({ of: leaf, issuer: twin }), subject, Date.now())).toMatchObject({ ok: false });
  });

  test('that says anything but good is not taken', () => {
    expect(verdict({ status: 'revoked' })).toBe('revoked');
    expect(verdict({ status: 'unknown' })).toBe('unknown-certificate');
    expect(judgeResponse(ocspError(3), subject, Date.now())).toEqual({ ok: false, why: 'responder-error' });
  });

  test('is not taken before its time, but for five minutes, nor after it', () => {
    const nowMs = Date.now();
    expect(verdict({ thisUpdate: nowMs + 200_000 })).toBe('good');
    expect(verdict({ thisUpdate: nowMs + 400_000 })).toBe('not-current');
    expect(verdict({ nextUpdate: nowMs - 1000 })).toBe('not-current');
  });

  test('whose octets were changed is refused, whichever, and nothing is thrown', () => {
    const good = ocspResponse({ of: leaf, issuer: root });
    const accepted: number[] = [];
    for (let at = 0; at < good.length; at += 1) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] as number) ^ 0x11;
      if (judgeResponse(changed, subject, Date.now()).ok) accepted.push(at);
    }
    expect(accepted).toEqual([]);
    for (let length = 0; length < good.length; length += 1) {
      expect(judgeResponse(good.subarray(0, length), subject, Date.now()).ok).toBe(false);
    }
  });
});

describe('a certificate can be asked about', () => {
  test('when it names a responder and its issuer is in the chain', async () => {
    expect(subject).toMatchObject({ responder: 'http://ocsp.test/x', mustStaple: false });
    expect(ocspSubjectOf(load(leaf, null))).toBe('no-issuer');
    expect(ocspSubjectOf(load(await mint({ names: ['a.test'], issuer: root }), root))).toBe('no-responder');
    const ldap = await mint({ names: ['a.test'], issuer: root, ocsp: 'ldap://ocsp.test' });
    expect(ocspSubjectOf(load(ldap, root))).toBe('no-responder');
  });

  test('and must be stapled when it says so (RFC 7633)', async () => {
    const must = await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test', mustStaple: true });
    expect(ocspSubjectOf(load(must, root))).toMatchObject({ mustStaple: true });
  });
});
