import { Buffer } from 'node:buffer';
import type { GatewayError } from '../errors.ts';
import { mostWanted } from '../http/accept.ts';
import { getCombined } from '../http/headers.ts';
import { statusTitle } from '../http/status-titles.ts';
import type { PolicyRequest } from './admit.ts';
import type { ErrorPage, ErrorPages } from './error-pages.ts';
import type { ErrorFacts, ErrorFormat, ErrorTemplate } from './error-template.ts';

/** Which errors a page is for: `404`, `4xx`, `default`. */
export type ErrorSelector = string;

export interface ErrorPageSetOptions {
  /** A page that is read from a file is what it is at the moment. */
  readonly pages: ReadonlyMap<
    ErrorSelector,
    Readonly<Partial<Record<ErrorFormat, { readonly current: ErrorTemplate }>>>
  >;
  /** Programs that take any JSON get RFC 9457's. */
  readonly problem: boolean;
  /** Statuses of endpoints whose responses are replaced; `null` for none. */
  readonly intercepts: ReadonlySet<number> | null;
}

/** A media type, and how it is made. */
interface Offer {
  readonly mediaType: string;
  readonly format: ErrorFormat;
  readonly isProblem: boolean;
}

const JSON_OFFERS: readonly Offer[] = [
  { mediaType: 'application/json', format: 'json', isProblem: false },
  { mediaType: 'application/problem+json', format: 'json', isProblem: true },
];
const PROBLEM_OFFERS: readonly Offer[] = [
  { mediaType: 'application/problem+json', format: 'json', isProblem: true },
  { mediaType: 'application/json', format: 'json', isProblem: true },
];
const HTML: Offer = { mediaType: 'text/html', format: 'html', isProblem: false };
const TEXT: Offer = { mediaType: 'text/plain', format: 'text', isProblem: false };

/**
 * Pages for Headgate's own errors, in the format that the client asks for in `Accept`: JSON, HTML or text, JSON for who takes anything. The
 * page of the status counts, else that of its class, else `default`; a format that none of them has is built in.
 */
export function errorPageSet({ pages, problem, intercepts }: ErrorPageSetOptions): ErrorPages {
  const offers = [...(problem ? PROBLEM_OFFERS : JSON_OFFERS), HTML, TEXT];
  const mediaTypes = offers.map(({ mediaType }) => mediaType);
  const templateFor = (status: number, format: ErrorFormat): ErrorTemplate | null => {
    for (const selector of [String(status), `${Math.floor(status / 100)}xx`, 'default']) {
      const page = pages.get(selector)?.[format];
      if (page !== undefined) return page.current;
    }
    return null;
  };
  return {
    intercepts,
    page(error: GatewayError, request: PolicyRequest): ErrorPage | 'html' {
      const index = mostWanted(mediaTypes, getCombined(request.request.headers, 'accept'));
      const offer = offers[Math.max(0, index)] ?? TEXT;
      const facts = { error, requestId: request.requestId };
      const template = templateFor(error.status, offer.format);
      if (template !== null) return { contentType: contentTypeOf(offer), body: template.render(facts) };
      return offer.format === 'html' ? 'html' : { contentType: contentTypeOf(offer), body: builtIn(offer, facts) };
    },
  };
}

function contentTypeOf({ format, isProblem }: Offer): string {
  if (format === 'json') return isProblem ? 'application/problem+json' : 'application/json';
  return format === 'html' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
}

function builtIn({ format, isProblem }: Offer, { error, requestId: id }: ErrorFacts): Uint8Array {
  const { status, code, reason } = error;
  const title = statusTitle(status);
  if (format === 'text') return Buffer.from(`${status} ${title}\n${code} (${reason})\nRequest ${id}\n`);
  // RFC 9457 §3.1: about:blank is what a status says by itself.
  const said = isProblem
    ? { type: 'about:blank', title, status, error: code, reason, id }
    : { error: code, reason, id };
  return Buffer.from(`${JSON.stringify(said)}\n`);
}
