import { z } from 'zod';
import { absolutePath, authority, duration, headerName, isMap, method, name, oneOrMore, valueForms } from './units.ts';

const URL_FORM = /^https?:\/\/[^\s]+$/;

const url = z
  .string()
  .regex(URL_FORM, 'a URL starts with http:// or https://')
  .register(valueForms, { kind: 'word', noun: 'a URL', form: 'https://shop.example/path' });

const asked = z
  .strictObject({
    method: method.default('GET').describe('Method of the request'),
    url: url.describe('As a client sends it: nothing in it is resolved or decoded'),
    headers: z.record(headerName, oneOrMore(z.string())).default({}).describe('Header fields, each a value or a list'),
    client: z.string().optional().describe('Effective client address; 127.0.0.1 unless given'),
    listener: name.optional().describe('Where it comes in; the listener that fits the URL unless given'),
    sni: z.string().optional().describe('TLS server name; the host of the URL unless given'),
    certificate: z
      .strictObject({
        subject: z.string().optional().describe('Distinguished name: CN=alice,O=Acme'),
        san: z.array(z.string()).optional().describe('Alternative names: DNS:a.test, URI:spiffe://a/b'),
        fingerprint: z.string().optional().describe('SHA-256, hexadecimal'),
      })
      .optional()
      .describe('A client certificate that verifies'),
    body: z.string().optional().describe('What its body says, in UTF-8'),
    bodyBytes: z.number().int().min(0).default(0).describe('Length of its body, where what it says is no matter'),
  })
  .meta({ description: 'A request that is asked about, never sent' });

/** `GET https://shop.example/api`, `https://shop.example/api`. */
const line = z
  .string()
  .regex(/^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+ +)?https?:\/\/\S+$/, 'a request is a method and a URL')
  .register(valueForms, { kind: 'word', noun: 'a request', form: 'GET https://shop.example/path' })
  .transform((text) => {
    const [first = '', second] = text.split(/ +/);
    return asked.parse(second === undefined ? { url: first } : { method: first, url: second });
  });

const request = z.union([line, asked]).meta({ description: 'GET https://shop.example/path, or { method, url, … }' });

const fieldTest = z
  .union([
    z.string(),
    z.strictObject({ present: z.literal(true).describe('Sent, with any value') }),
    z.strictObject({ absent: z.literal(true).describe('Not sent') }),
  ])
  .meta({ description: 'A value, { present: true } or { absent: true }' });

const fields = z.record(headerName, fieldTest);

const expectation = z.strictObject({
  route: z
    .union([z.string(), z.literal(false)])
    .optional()
    .describe('Which route takes it; false for none. Beside a route, that route unless given'),
  pool: z
    .union([oneOrMore(name), z.literal(false)])
    .optional()
    .describe('Where it goes: every pool that it may fall to is one of these; false for none'),
  url: absolutePath.optional().describe('Path and query as they go upstream'),
  host: authority.optional().describe('Host as it goes upstream'),
  headers: fields.optional().describe('Header fields as they go upstream'),
  status: z.number().int().min(100).max(599).optional().describe('Of an answer that Headgate gives itself'),
  redirect: z.string().optional().describe('Location of that answer'),
  responseHeaders: fields.optional().describe('Header fields of that answer'),
  reason: z.string().optional().describe('Why Headgate answers itself, as the access log says: no-route, redirect, …'),
  cache: z
    .union([
      z.boolean(),
      z
        .strictObject({
          key: z.string().optional().describe('The URL that it is stored by'),
          bypass: z.string().optional().describe('Why the cache is not asked: method, policy, request-body, …'),
          fresh: duration.optional().describe('How long a 200 that says nothing of it is fresh'),
        })
        .refine((given) => Object.keys(given).length > 0, {
          message: 'say what is expected of the cache: key, bypass or fresh; or true or false',
          when: isMap,
        }),
    ])
    .optional()
    .describe('Is a stored response looked for? Or { key, bypass, fresh }'),
});

export type Expectation = z.output<typeof expectation>;
export type FieldTest = z.output<typeof fieldTest>;

const title = z.string().min(1).optional().describe('What the report calls it; the request unless given');

/** Beside a route. */
export const routeTest = z
  .union([
    line.transform((given) => ({ name: undefined, request: given, expect: {} as Expectation })),
    z.strictObject({
      name: title,
      request: request.describe('GET https://shop.example/path, or { method, url, headers, … }'),
      expect: expectation.default({}).describe('What becomes of it; this route, and what else is given'),
    }),
  ])
  .meta({ description: 'A request that this route takes, or { name, request, expect }' });

/** In a file of their own, `*.test.yaml`. */
export const testFile = z.array(
  z.strictObject({
    name: title,
    request: request.describe('GET https://shop.example/path, or { method, url, headers, … }'),
    expect: expectation
      .refine((given) => Object.keys(given).length > 0, {
        message: 'say what is expected: route, pool, url, status, …',
        when: isMap,
      })
      .describe('What becomes of it'),
  }),
);

export type RouteTest = z.output<typeof routeTest>;
