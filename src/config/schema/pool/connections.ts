import { z } from 'zod';
import { duration } from '../units.ts';

export const connections = z
  .strictObject({
    max: z
      .number()
      .int()
      .min(1)
      .default(1024)
      .describe('Connections to one endpoint; more than one client address may have, so that none can take them all'),
    queue: z.number().int().min(0).default(1024).describe('Requests that may wait for one'),
    queueTimeout: duration.default(10_000).describe('Longest wait for a connection'),
    connectTimeout: duration.default(2_000).describe('TCP and TLS handshake together'),
    keepAlive: duration
      .default(4_000)
      .describe(
        'Idle connections are closed after this, sooner where an endpoint says or shows that it would close them',
      ),
    warm: z
      .number()
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe('Idle connections that are kept ready to each endpoint that may get work'),
    maxAge: duration.default(3_600_000).describe('A connection carries no further requests after this; 0 for no limit'),
    maxRequests: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('A connection carries no further requests after so many; 0 for no limit'),
  })
  .prefault({});
