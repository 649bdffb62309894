import type { ResponseHead } from '../../exchange/response-sink.ts';
import { bestAccepted } from '../../http/accept-encoding.ts';
import { parseCacheControl } from '../../http/cache-control.ts';
import { getCombined, getHeader, type HeaderDraft, removeHeader } from '../../http/headers.ts';
import type { PolicyRequest } from '../admit.ts';
import type { BodyTransform, ResponseFacts, TransformedHead } from '../body-transform.ts';
import { alteredFields, alteredNotModified, announcedBytes, isAlterable, mediaType } from '../representation.ts';
import { addVary } from '../vary.ts';
import type { CodingPlan } from './coding.ts';
import type { Compressions } from './compressions.ts';
import { EncodedBody } from './encoded-body.ts';

const VARIES = ['Accept-Encoding'];

/** What a `compress` section says. */
export interface CompressPlan {
  /** In the server’s order of preference. */
  readonly codings: readonly CodingPlan[];
  readonly isCompressible: (type: string) => boolean;
  /** A body that is announced to be smaller stays as it is. */
  readonly minBytes: number;
  readonly compressions: Compressions;
}

/**
 * Compresses responses by what their clients accept. A response that is not compressed only because of its client says so in `Vary` all the
 * same. Whoever accepts nothing at all (`identity;q=0`) gets it uncompressed: a body is better than a 406.
 */
export function compressTransform(plan: CompressPlan): BodyTransform {
  const codings = plan.codings.map(({ coding }) => coding);
  return {
    codings,
    ask: (draft, request) => askForWhole(draft, request, codings),
    written: null,
    transform: (head, request, facts) =>
      head.status === 304 ? notModified(head, facts) : transformed(plan, head, request, { ...facts, codings }),
  };
}

function transformed(
  plan: CompressPlan,
  head: ResponseHead,
  request: PolicyRequest,
  { hasBody, acceptEncoding, codings }: ResponseFacts & { readonly codings: readonly string[] },
): TransformedHead | null {
  const type = mediaType(head.headers);
  if (!plan.isCompressible(type)) return null;
  if (head.status === 206) return varying(head);
  if (!isAlterable(head, type)) return null;
  const length = announcedBytes(head.headers);
  if (length !== null && length < plan.minBytes) return null;
  const chosen = forbids(request) ? 'identity' : bestAccepted(codings, acceptEncoding);
  const coding = plan.codings.find((one) => one.coding === chosen);
  if (coding === undefined) return varying(head);
  if (hasBody && !plan.compressions.begin()) {
    request.note('compress:too-many');
    return varying(head);
  }
  const headers = alteredFields(head.headers);
  headers.push('Content-Encoding', coding.coding);
  addVary(headers, VARIES);
  return {
    head: { status: head.status, headers },
    through: hasBody ? (into) => new EncodedBody(into, coding, () => plan.compressions.end()) : null,
  };
}

/** Another client might have got it compressed (RFC 9110 §12.5.5). */
function varying(head: ResponseHead): TransformedHead {
  const headers = head.headers.slice();
  addVary(headers, VARIES);
  return { head: { status: head.status, headers }, through: null };
}

function notModified(head: ResponseHead, { ifNoneMatch }: ResponseFacts): TransformedHead | null {
  const headers = alteredNotModified(head, ifNoneMatch, 'Accept-Encoding');
  return headers === null ? null : { head: { status: head.status, headers }, through: null };
}

/** RFC 9111 §5.2.1.6: the client asks for what the endpoint sent. */
function forbids({ request: { headers } }: PolicyRequest): boolean {
  const cacheControl = getCombined(headers, 'cache-control');
  return cacheControl !== null && parseCacheControl(cacheControl).noTransform;
}

/**
 * What a client has of a compressed response is no beginning of the endpoint’s: an entity tag says so, as it is weak (RFC 9110 §14.2), a date
 * does not. So a client that may have it that way, and knows it by its date, gets all of it.
 */
function askForWhole(draft: HeaderDraft, { request }: PolicyRequest, codings: readonly string[]): void {
  const ifRange = getHeader(draft, 'if-range');
  if (ifRange === null || ifRange.includes('"')) return;
  if (bestAccepted(codings, getCombined(request.headers, 'accept-encoding')) === 'identity') return;
  removeHeader(draft, 'range');
  removeHeader(draft, 'if-range');
}
