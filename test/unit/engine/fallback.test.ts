import { expect, test } from 'vitest';
import { failureKind } from '../../../src/engine/fallback.ts';
import { badRequest, clientGone, type ErrorCode, GatewayError, type GatewayErrorOptions } from '../../../src/errors.ts';

function failure(code: ErrorCode, over: Partial<GatewayErrorOptions> = {}): GatewayError {
  return new GatewayError(code, { blame: 'upstream', status: 502, reason: 'x', ...over });
}

test.each<[string, GatewayError, string | null]>([
  ['a breaker that has tripped', failure('destination_unavailable', { reason: 'breaker-open' }), 'breaker'],
  ['nobody available', failure('destination_unavailable', { reason: 'no-endpoint-available' }), 'unavailable'],
  ['a full queue', failure('connection_limit_reached', { blame: 'gateway', status: 503 }), 'overload'],
  ['refused', failure('connection_refused'), 'connect'],
  ['a connect timeout', failure('connection_timeout', { status: 504 }), 'connect'],
  ['a name that does not resolve', failure('dns_error'), 'connect'],
  ['a certificate that does not verify', failure('tls_certificate_error'), 'connect'],
  ['a reset', failure('connection_terminated'), 'reset'],
  ['what is no HTTP', failure('http_protocol_error'), 'reset'],
  ['no head in time', failure('http_response_timeout', { status: 504 }), 'timeout'],
  ['silence', failure('connection_read_timeout', { status: 504 }), 'timeout'],
  ['a client that left', clientGone(), null],
  ['a body that is too large', badRequest('body-too-large', 413), null],
  ['a bug', failure('proxy_internal_error', { blame: 'gateway', status: 500 }), null],
  ['shutting down', failure('destination_unavailable', { blame: 'gateway', status: 503 }), null],
])('%s is a failure of its kind', (_name, error, kind) => {
  expect(failureKind(error)).toBe(kind);
});
