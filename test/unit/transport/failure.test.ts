import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { attemptFailure, dialFailure, dialTimeout, type Stage } from '../../../src/transport/failure.ts';

function coded(code: string, message = code, name = 'Error'): Error {
  const error = Object.assign(new Error(message), { code });
  error.name = name;
  return error;
}

const unsent: Stage = { sent: false, reused: false, responseBegun: false, headDelivered: false };
const sent: Stage = { ...unsent, sent: true };
const sentOnReused: Stage = { ...sent, reused: true };
const begun: Stage = { ...sentOnReused, responseBegun: true };
const delivered: Stage = { ...begun, headDelivered: true };

function short(error: GatewayError): unknown[] {
  return [error.code, error.blame, error.retry, error.status];
}

describe('a connection that could not be made may be tried elsewhere', () => {
  test.each([
    ['ECONNREFUSED', 'tcp', 'connection_refused', 502],
    ['ENOTFOUND', 'dns', 'dns_error', 502],
    ['EAI_AGAIN', 'dns', 'dns_error', 502],
    ['ETIMEDOUT', 'tcp', 'connection_timeout', 504],
    ['EHOSTUNREACH', 'tcp', 'destination_unavailable', 502],
    ['ENETUNREACH', 'tcp', 'destination_unavailable', 502],
    ['ECONNRESET', 'tls', 'tls_protocol_error', 502],
    ['ECONNRESET', 'tcp', 'connection_refused', 502],
    ['EPROTO', 'tls', 'tls_protocol_error', 502],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'tls_protocol_error', 502],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'tls', 'tls_alert_received', 502],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls', 'tls_certificate_error', 502],
    ['CERT_HAS_EXPIRED', 'tls', 'tls_certificate_error', 502],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'tls_certificate_error', 502],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', 'tls_certificate_error', 502],
  ] as const)('%s while in %s is %s', (code, phase, expected, status) => {
    expect(short(dialFailure(coded(code), phase))).toEqual([expected, 'upstream', 'always', status]);
  });

  test('a refusal of one address counts more than the timeout of another', () => {
    const both = new AggregateError([coded('ETIMEDOUT'), coded('ECONNREFUSED')]);
    expect(dialFailure(both, 'tcp').code).toBe('connection_refused');
    expect(dialFailure(new AggregateError([coded('ENETUNREACH'), coded('ETIMEDOUT')]), 'tcp').code).toBe(
      'connection_timeout',
    );
  });

  test('descriptors that this machine lacks are nobody else’s fault, and lacking everywhere', () => {
    expect(short(dialFailure(coded('EMFILE'), 'tcp'))).toEqual(['connection_limit_reached', 'gateway', 'never', 503]);
  });

  test.each([
    ['dns', 'dns_timeout'],
    ['tcp', 'connection_timeout'],
    ['tls', 'connection_timeout'],
  ] as const)('no connection in time while in %s is %s', (phase, code) => {
    expect(short(dialTimeout(phase))).toEqual([code, 'upstream', 'always', 504]);
  });
});

describe('a request that failed', () => {
  const reset = coded('ECONNRESET');
  const closed = coded('UND_ERR_SOCKET', 'other side closed');
  const parser = coded('HPE_INVALID_CONSTANT', 'Response does not match the HTTP/1.1 protocol (x)', 'HTTPParserError');
  const eof = coded('HPE_INVALID_EOF_STATE', 'Response does not match … (Invalid EOF state)', 'HTTPParserError');

  test.each([
    ['a reset before it was written', reset, unsent, 'connection_terminated', 'always'],
    ['a reset on a fresh connection', reset, sent, 'connection_terminated', 'never'],
    ['a reset on a reused connection', reset, sentOnReused, 'connection_terminated', 'if-reused'],
    ['an end on a reused connection', closed, sentOnReused, 'connection_terminated', 'if-reused'],
    ['a failed write on a reused connection', coded('EPIPE'), sentOnReused, 'connection_terminated', 'if-reused'],
    ['an end after the first byte', closed, begun, 'http_response_incomplete', 'never'],
    ['a reset within the body', reset, delivered, 'http_response_incomplete', 'never'],
    ['an end within the chunks', eof, delivered, 'http_response_incomplete', 'never'],
    ['too short a body', coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), delivered, 'http_response_incomplete', 'never'],
    ['two lengths', coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), begun, 'http_protocol_error', 'never'],
    ['no HTTP', parser, begun, 'http_protocol_error', 'never'],
    ['a bad chunk', parser, delivered, 'http_protocol_error', 'never'],
    ['a 100 nobody wants', coded('UND_ERR_SOCKET', 'bad response'), begun, 'http_protocol_error', 'never'],
    ['a 101 nobody wants', coded('UND_ERR_SOCKET', 'bad upgrade'), begun, 'http_protocol_error', 'never'],
    ['a huge head', coded('UND_ERR_HEADERS_OVERFLOW'), begun, 'http_response_header_section_size', 'never'],
    ['huge trailers', coded('UND_ERR_HEADERS_OVERFLOW'), delivered, 'http_response_incomplete', 'never'],
    ['a late TLS alert', coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), sent, 'tls_alert_received', 'never'],
  ] as const)('by %s', (_what, error, stage, code, retry) => {
    expect(short(attemptFailure(error, stage))).toEqual([code, 'upstream', retry, 502]);
  });

  test('because it can’t be written is our fault', () => {
    expect(short(attemptFailure(coded('UND_ERR_INVALID_ARG'), unsent))).toEqual([
      'proxy_internal_error',
      'gateway',
      'never',
      500,
    ]);
  });

  test('because a receiver threw is our fault, and carries the bug', () => {
    const bug = new TypeError('x is not a function');
    const error = attemptFailure(bug, delivered);
    expect(short(error)).toEqual(['proxy_internal_error', 'gateway', 'never', 500]);
    expect(error.cause).toBe(bug);
  });

  test('for a reason that is known already keeps it', () => {
    const known = new GatewayError('http_request_error', { blame: 'client', status: 408, reason: 'body-read-timeout' });
    expect(attemptFailure(known, sent)).toBe(known);
  });
});
