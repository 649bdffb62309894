import { z } from 'zod';
import { duration, headerName, size, valueForms } from '../units.ts';

const FORM = 'http://HOST:PORT/PATH';

const url = z
  .string()
  .refine(isUrl, `not a URL: write ${FORM}`)
  .register(valueForms, { kind: 'word', noun: 'the URL of an auth service', form: FORM });

function isUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && hash === '';
}

/** The shortest that lets a service answer at all. */
const MIN_TIMEOUT_MS = 10;

export const forwardAuth = z
  .strictObject({
    url: url.describe('Where the service is asked, by GET'),
    ca: z.string().optional().describe('PEM file with the authorities to trust in place of the built-in ones'),
    timeout: duration
      .refine((ms) => ms >= MIN_TIMEOUT_MS, 'a timeout here is 10ms at least')
      .default(5_000)
      .describe('For the whole answer'),
    connections: z.number().int().min(1).max(10_000).default(100).describe('To the service at a time; others wait'),
    requestHeaders: z
      .array(headerName)
      .default(['Authorization', 'Cookie', 'Accept', 'User-Agent', 'X-Requested-With'])
      .describe(
        'Fields of the request that the service is told, beside X-Forwarded-Method, -Proto, -Host, -Uri and -For',
      ),
    originalUrl: z.boolean().default(false).describe('Tell it X-Original-URL and X-Original-Method too'),
    responseHeaders: z
      .array(headerName)
      .max(32)
      .default([])
      .describe('Fields of a 2xx that the endpoint gets; a client’s own are removed on every route'),
    userHeader: headerName.optional().describe('Field of a 2xx with the name of the user'),
    setCookies: z.boolean().default(false).describe('Set-Cookie of a 2xx goes to the client'),
    refusalHeaders: z
      .array(headerName)
      .default(['WWW-Authenticate', 'Location', 'Set-Cookie'])
      .describe('Fields of a 401, 403 or redirect that the client gets'),
    refusalBody: size
      .refine((bytes) => bytes <= 1024 * 1024, 'a body here is 1M at most')
      .default(65_536)
      .describe(
        'Longest body of a refusal that the client gets; for a longer one, and with 0, there is a page of our own',
      ),
    failure: z
      .enum(['closed', 'open'])
      .default('closed')
      .describe('When the service does not answer, or with 5xx: 503, or let the request pass with nobody known'),
    cache: duration.default(0).describe('How long a 2xx answers the same question again; 0 for not at all'),
    cacheRefusals: z.boolean().default(false).describe('Keep refusals too'),
  })
  .meta({ description: 'A service that is asked about each request (docs/forward-auth.md)' });

export type ForwardAuthConfig = z.output<typeof forwardAuth>;
