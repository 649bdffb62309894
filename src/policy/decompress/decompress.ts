import { GatewayError } from '../../errors.ts';
import { getCombined, type HeaderDraft, removeHeader } from '../../http/headers.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from '../admit.ts';
import { DecodedBody, type DecodeLimits } from './decoded-body.ts';
import { DECODABLE, decoderOf } from './decoder.ts';

/**
 * Takes the content coding off request bodies: endpoints get them as if they had come without. More than one coding, and an unknown one, is refused
 * with 415 and what can be read (RFC 9110 §15.5.16).
 */
export function decompressRequests(limits: DecodeLimits): AdmitPolicy<'requestBody'> {
  return { phase: 'requestBody', policy: 'decompress', admit: (request) => admit(request, limits) };
}

function admit(request: PolicyRequest, limits: DecodeLimits): Verdict | null {
  const coding = codingOf(request.request.headers);
  if (coding === null || request.requestBody.length === 0) return null;
  const create = decoderOf(coding);
  if (create === null) return { kind: 'refuse', error: unsupported() };
  const { length } = request.requestBody;
  if (length !== null && length > limits.bytes) return { kind: 'refuse', error: tooLarge() };
  if (request.hypothetical) return null;
  const body = new DecodedBody(request.requestBody, create, limits);
  request.requestBody = body;
  request.atEnd(() => body.stop());
  return null;
}

/** The coding of a body in lower case; `null` for none. */
function codingOf(headers: readonly string[]): string | null {
  const value = getCombined(headers, 'content-encoding');
  const coding = value === null ? '' : value.trim().toLowerCase();
  return coding === '' || coding === 'identity' ? null : coding;
}

/** Fields that are about the bytes that came: nobody gets those. */
const OF_THE_BYTES = ['content-encoding', 'content-length', 'content-md5', 'content-digest', 'repr-digest', 'digest'];

/** The same for the request as it goes upstream. Also for one without a body: there is nothing that could be encoded. */
export function withoutCoding(draft: HeaderDraft): void {
  const coding = codingOf(draft);
  if (coding === null || decoderOf(coding) === null) return;
  for (const name of OF_THE_BYTES) removeHeader(draft, name);
}

function unsupported(): GatewayError {
  return new GatewayError('http_request_error', {
    ...{ blame: 'client', status: 415, reason: 'body-encoding-unsupported' },
    fields: ['Accept-Encoding', DECODABLE],
  });
}

function tooLarge(): GatewayError {
  return new GatewayError('http_request_error', { blame: 'client', status: 413, reason: 'decompressed-too-large' });
}
