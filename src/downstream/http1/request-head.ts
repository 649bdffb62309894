import type { RequestHead, Scheme } from '../../exchange/exchange.ts';
import { withoutClientCert } from '../../http/client-cert.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { ListenerOptions } from '../options.ts';
import { addressOf, type BadHead, type HeadFacts, refuseHead, withoutUnderscored } from './checks.ts';
import type { Http1Request } from './message.ts';

export interface HeadContext {
  readonly options: ListenerOptions;
  readonly scheme: Scheme;
  /** A Host value that this connection has brought before, and that was found valid; or empty. */
  readonly knownHost: string;
}

const underscored: BadHead = { status: 400, reason: 'underscore-in-field-name' };
const tooManyFields: BadHead = { status: 431, reason: 'too-many-fields' };

/** Makes a checked request head of what Node parsed, or says what is wrong with it. Hot. */
export function readHead(request: Http1Request, facts: HeadFacts, context: HeadContext): RequestHead | BadHead {
  const { options } = context;
  const line = {
    method: request.method ?? '',
    target: targetOf(request),
    major: request.httpVersionMajor,
    minor: request.httpVersionMinor,
  };
  const bad = refuseHead(line, facts);
  if (bad !== null) return bad;
  let headers: HeaderList = request.rawHeaders;
  if (headers.length > 2 * options.limits.headerCount) return tooManyFields;
  if (facts.underscored && options.underscores !== 'keep') {
    if (options.underscores === 'refuse') return underscored;
    headers = withoutUnderscored(headers);
  }
  if (facts.clientCert) headers = withoutClientCert(headers);
  const addressed = addressOf(line.method, line.target, facts.host, context.knownHost);
  if ('reason' in addressed) return addressed;
  return {
    method: line.method,
    target: addressed.target,
    authority: addressed.authority,
    scheme: context.scheme,
    version: line.minor === 1 ? '1.1' : '1.0',
    headers,
  };
}

/** Fastify routes on `/`; what the client sent is kept in `originalUrl`. An upgrade does not pass through its router. */
function targetOf(request: Http1Request): string {
  return 'originalUrl' in request && typeof request.originalUrl === 'string'
    ? request.originalUrl
    : (request.url ?? '');
}
