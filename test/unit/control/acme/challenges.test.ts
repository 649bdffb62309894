import 'reflect-metadata';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { HttpChallenges } from '../../../../src/control/certificates/acme/http-challenges.ts';
import { PendingTlsChallenges } from '../../../../src/control/certificates/acme/tls-challenges.ts';

test('RFC 8555 §8.3: a pending token is answered with its key authorization, and nothing else is', () => {
  const challenges = new HttpChallenges();
  expect(challenges.answer).toBeNull();
  const withdraw = challenges.put('token-1', 'token-1.thumbprint');
  const answer = (path: string) => challenges.answer?.(path) ?? null;
  expect(Buffer.from(answer('/.well-known/acme-challenge/token-1')?.body ?? []).toString()).toBe('token-1.thumbprint');
  expect(answer('/.well-known/acme-challenge/token-2')).toBeNull();
  expect(answer('/.well-known/acme-challenge/')).toBeNull();
  expect(answer('/token-1')).toBeNull();
  withdraw();
  expect(challenges.answer).toBeNull();
});

test('of two orders with one token, the end of the first does not end the second', () => {
  const challenges = new HttpChallenges();
  const first = challenges.put('t', 't.1');
  const second = challenges.put('t', 't.2');
  first();
  expect(challenges.answer?.('/.well-known/acme-challenge/t')?.body?.toString()).toBe('t.2');
  second();
  expect(challenges.answer).toBeNull();
});

test('RFC 8737 §3: the challenge certificate has one name and the digest in a critical extension', async () => {
  const challenges = new PendingTlsChallenges();
  expect(challenges.pending).toBe(false);
  const withdraw = await challenges.put('shop.test', 'token.thumbprint');
  expect(challenges.pending).toBe(true);
  const pair = challenges.certificateFor('shop.test');
  if (pair === null) throw new Error('There is no certificate');
  const certificate = new x509.X509Certificate(pair.certificate);
  const extension = certificate.getExtension('1.3.6.1.5.5.7.1.31');
  expect(extension?.critical).toBe(true);
  const digest = createHash('sha256').update('token.thumbprint').digest('hex');
  expect(Buffer.from(extension?.value ?? new ArrayBuffer()).toString('hex')).toBe(`0420${digest}`);
  const parsed = new X509Certificate(pair.certificate);
  expect(parsed.subjectAltName).toBe('DNS:shop.test');
  expect(parsed.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
  expect(challenges.certificateFor('other.test')).toBeNull();
  withdraw();
  expect(challenges.pending).toBe(false);
  expect(challenges.certificateFor('shop.test')).toBeNull();
});
