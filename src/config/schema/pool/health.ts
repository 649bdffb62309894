import { z } from 'zod';
import { absolutePath, authority, duration, valueForms } from '../units.ts';

export const health = z
  .strictObject({
    path: absolutePath
      .regex(/^[\x21-\x22\x24-\x7e]+$/, 'a path is visible ASCII without "#"; escape the rest')
      .register(valueForms, {
        kind: 'path',
        noun: 'a path',
        form: 'a path that starts with “/”, in visible ASCII without “#”',
      })
      .default('/')
      .describe('Path and query of the GET request'),
    expect: z
      .array(
        z.union([
          z.number().int().min(100).max(599),
          z
            .string()
            .regex(/^[1-5]\d\d-[1-5]\d\d$/, 'a range is like 200-299')
            .register(valueForms, { kind: 'status-range', noun: 'a range of statuses', form: '200-299' }),
        ]),
      )
      .default(['200-399'])
      .describe('Statuses that mean healthy: 200, or ranges 200-299'),
    host: authority.optional().describe('Host header of the check; the endpoint address unless given'),
    interval: duration.default(5_000).describe('Between checks, jittered by ±20 %'),
    timeout: duration.default(2_000).describe('Until the response head of a check'),
    rise: z.number().int().min(1).default(2).describe('Successes in a row that make it healthy'),
    fall: z.number().int().min(1).default(3).describe('Failures in a row that make it unhealthy'),
    start: z.enum(['up', 'down']).default('up').describe('State before the first result'),
    type: z.enum(['http', 'tcp']).default('http').describe('A GET request, or only a connection'),
  })
  .meta({ description: 'Active health checks by HTTP GET, or by TCP connect' });
