import { z } from 'zod';
import { duration, fieldValue, headerName, share, valueForms } from './units.ts';

const sample = share.describe('Share of the traces that is recorded, of those that nobody trusted has decided about');

const FORM = 'http://HOST:PORT or https://HOST:PORT, with or without a path';

const collector = z
  .string()
  .refine(isCollector, `not a URL: write ${FORM}`)
  .register(valueForms, { kind: 'word', noun: 'the URL of a collector', form: FORM });

/** Credentials are header fields, which are not shown. */
function isCollector(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && hash === '';
}

const otlp = z.strictObject({
  endpoint: collector.describe('Where a collector takes OTLP/HTTP; /v1/traces is added unless there is a path'),
  headers: z.record(headerName, fieldValue).default({}).describe('Header fields of its requests, credentials say'),
  ca: z.string().optional().describe('PEM file with the roots to trust in place of the built-in ones'),
  compression: z.enum(['gzip', 'none']).default('gzip').describe('Of the requests'),
  timeout: duration.default(10_000).describe('For one request'),
  interval: duration.default(5_000).describe('Longest wait of a span before it is sent'),
  batch: z.number().int().min(1).max(8192).default(512).describe('Most spans of one request'),
  queue: z.number().int().min(1).max(65_536).default(4096).describe('Most spans that wait; what is more is dropped'),
});

export const tracing = z.strictObject({
  sample: sample.default(1),
  trustClients: z
    .boolean()
    .default(false)
    .describe('Every client may say whether its trace is recorded, not only those in trustedProxies'),
  errors: z
    .boolean()
    .default(false)
    .describe('Export the spans of exchanges that failed also where the trace is not recorded'),
  resource: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('Attributes of this gateway, as deployment.environment.name; OTEL_RESOURCE_ATTRIBUTES goes first'),
  otlp: otlp.optional().describe('Export spans by OTLP/HTTP'),
});

/** What a route may have otherwise. */
export const routeTracing = z.strictObject({ sample });

export type TracingConfig = z.output<typeof tracing>;
