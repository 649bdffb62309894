import { z } from 'zod';
import { absolutePath, authority, duration, fieldValue, headerName, share, valueForms } from '../units.ts';

const path = absolutePath
  .regex(/^[\x21-\x22\x24-\x7e]+$/, 'a path is visible ASCII without "#"; escape the rest')
  .register(valueForms, {
    kind: 'path',
    noun: 'a path',
    form: 'a path that starts with “/”, in visible ASCII without “#”',
  });

const status = z.union([
  z.number().int().min(100).max(599),
  z
    .string()
    .regex(/^[1-5]\d\d-[1-5]\d\d$/, 'a range is like 200-299')
    .register(valueForms, { kind: 'status-range', noun: 'a range of statuses', form: '200-299' }),
]);

const body = z
  .union([
    z.strictObject({ contains: z.string().min(1).describe('Text that stands somewhere in it, case and all') }),
    z.strictObject({ regex: z.string().min(1).describe('RE2 syntax; not anchored unless it says so') }),
  ])
  .meta({ description: 'What the first 64 KiB of the body must hold: { contains: text } or { regex: "…" }' });

export const health = z
  .strictObject({
    path: path.default('/').describe('Path and query of the request'),
    expect: z.array(status).default(['200-399']).describe('Statuses that mean healthy: 200, or ranges 200-299'),
    body: body.optional(),
    host: authority.optional().describe('Host header of the check; the endpoint address unless given'),
    method: z.enum(['GET', 'HEAD']).default('GET').describe('Method of the request'),
    headers: z.record(headerName, fieldValue).default({}).describe('Header fields by name'),
    type: z
      .enum(['http', 'tcp', 'grpc'])
      .default('http')
      .describe('A request, only a connection, or a call of the gRPC health protocol'),
    service: z
      .string()
      .max(1024)
      .default('')
      .describe('Whose health a gRPC call asks for; the server’s as a whole unless given'),
    interval: duration.default(5_000).describe('From a result to the next check'),
    failingInterval: duration
      .optional()
      .describe('The same after a failure and while it is down; 1s, or the interval if that is shorter, unless given'),
    jitter: share.default(0.2).describe('How much sooner or later than the interval a check may come'),
    timeout: duration.default(2_000).describe('Until the response head of a check, and the body where it is looked at'),
    rise: z.number().int().min(1).default(2).describe('Successes in a row that make it healthy'),
    fall: z.number().int().min(1).default(3).describe('Failures in a row that make it unhealthy'),
    start: z.enum(['up', 'down']).default('up').describe('State before the first result'),
    slowStart: duration
      .default(0)
      .describe('How long an endpoint that comes back, or joins others, takes from a tenth of its weight to all of it'),
  })
  .meta({ description: 'Active health checks by HTTP request, TCP connect, or gRPC call' });
