/*
 * What a run of the suite is expected to fail, and why. A case that is here and passes is a failure of the run, so that the list
 * stays true. For `check`, which asks about behaviour, to be here means that the answer is no.
 */

const forOurs = 'Set-Cookie is for one client unless the route allows it by name; RFC 9111 §7.3 leaves it to the cache';
const framing =
  'RFC 9110 §10.1.4: nobody asked for this coding, and what can not be decoded can not be passed on as content: 502';
const date =
  'RFC 9111 §4.3.2: without Last-Modified, the date is compared with Date, which is later: the client has an older one';
const list = 'RFC 9111 §4.2.1: of repeated directives the first counts';
const number = 'RFC 9111 §4.2.1: freshness that is no number of seconds is taken for stale';
const parameter = 'RFC 9111 §5.1: an Age that is no number is ignored';
const shortLived = 'RFC 9111 §4.2.2: a tenth of the time since Last-Modified is over before the next request';
const entityTag =
  'RFC 9110 §8.8.3: what is not quoted, or marked otherwise than by W/, is no entity tag, and matches none';
const asReceived = 'RFC 9110 §7.6: a field value is forwarded as it came';
const describesBody = 'RFC 9111 §3.2: what describes the stored body stays with it';
const otherTag = 'RFC 9111 §4.3.4: a 304 with another strong validator confirms nothing, so the origin is asked again';
const targetCase = 'RFC 9651 §3.1.2: keys of a dictionary are in lower case, so this is a syntax error';
const warning = 'RFC 9111 §5.5: Warning is obsolete';
const brokenPart =
  'RFC 9110 §15.3.7.1: “bytes 4-9/10” with five bytes contradicts itself, and nobody can tell which of its bytes came';

const byDesign: readonly (readonly [id: string, why: string])[] = [
  ['headers-store-Set-Cookie', forOurs],
  ['headers-store-Transfer-Encoding', framing],
  ['conditional-lm-fresh-no-lm', date],
  ['other-set-cookie', forOurs],
  ['method-POST', 'RFC 9110 §9.3.3 allows to store it; a POST that reflects what it was sent would poison the page'],
  ['vary-normalise-lang-select', 'RFC 9111 §4.1: the value of a field that Vary names has to match'],
  ['conditional-etag-vary-headers-mismatch', 'RFC 9111 §4.1 allows it; only the selected response is validated'],
  ['304-etag-update-response-Set-Cookie', forOurs],
  ['freshness-max-age-two-stale-fresh-sameline', list],
  ['freshness-max-age-two-stale-fresh-sepline', list],
  ['freshness-max-age-decimal-zero', number],
  ['freshness-max-age-decimal-five', number],
  ['freshness-max-age-a100', number],
  ['freshness-max-age-100a', number],
  ['age-parse-parameter', parameter],
  ['age-parse-numeric-parameter', parameter],
  ['ccreq-max-stale-age', 'what is stale when it comes and can not be validated is not stored'],
  ['heuristic-delta-5', shortLived],
  ['heuristic-delta-10', shortLived],
  ['heuristic-delta-30', shortLived],
  ['conditional-etag-forward-unquoted', asReceived],
  ['conditional-etag-strong-generate-unquoted', asReceived],
  ['conditional-etag-quoted-respond-unquoted', entityTag],
  ['conditional-etag-unquoted-respond-unquoted', entityTag],
  ['conditional-etag-unquoted-respond-quoted', entityTag],
  ['conditional-etag-weak-respond-lowercase', entityTag],
  ['conditional-etag-weak-respond-backslash', entityTag],
  ['conditional-etag-weak-respond-omit-slash', entityTag],
  ['304-etag-update-response-Content-Encoding', describesBody],
  ['304-etag-update-response-Content-MD5', describesBody],
  ['304-etag-update-response-Content-Range', describesBody],
  ['304-etag-update-response-ETag', otherTag],
  ['stale-warning-stored', warning],
  ['stale-warning-become', warning],
  [
    'stale-close',
    'RFC 9111 §4.2.4 allows it to a cache that is cut off; here a route asks for it, with a fallback or staleIfError',
  ],
  ['stale-503', 'RFC 9111 §4.2.4 allows it to a cache that is cut off; a 503 of the origin is an answer'],
  ['cdn-max-age-case-insensitive', targetCase],
  ['other-age-delay', 'RFC 9111 §5.1: Age is for what comes out of a store, and this does not'],
  ['partial-store-partial-reuse-partial', brokenPart],
  ['partial-store-partial-reuse-partial-byterange', brokenPart],
  ['partial-store-partial-reuse-partial-absent', brokenPart],
  ['partial-store-partial-reuse-partial-suffix', brokenPart],
  [
    'partial-store-partial-complete',
    'RFC 9110 §15.3.7.3: parts are combined if they share a strong validator, and this one has none: its rest would be of no use',
  ],
  ['head-200-retain', 'RFC 9111 §4.3.5: a HEAD updates what is stored for GET; its own answer is the origin’s'],
  [
    'head-410-update',
    'RFC 9111 §4.3.5: a 200 to HEAD updates; a 410 says that the response is gone, and makes it stale',
  ],
];

/** Why each case that is expected to fail does. */
export const expectedFailures: ReadonlyMap<string, string> = new Map(byDesign);
