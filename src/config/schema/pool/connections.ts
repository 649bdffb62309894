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
      .describe('Idle connections are closed after this, below the usual 5 s of Node backends'),
  })
  .prefault({});
