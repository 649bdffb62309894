import { z } from 'zod';
import { listener } from './listener.ts';
import { retry, timeouts } from './policies.ts';
import { pool } from './pool.ts';
import { route } from './route.ts';
import { duration, name, port, size } from './units.ts';

const cache = z
  .strictObject({
    size: size.default(128 * 1024 ** 2).describe('All stored responses together'),
    objectSize: size.default(8 * 1024 ** 2).describe('One stored response'),
  })
  .prefault({});

const admin = z
  .strictObject({
    address: z.string().default('127.0.0.1'),
    port: port.default(4600),
  })
  .prefault({});

const accessLog = z
  .strictObject({
    enabled: z.boolean().default(true),
    format: z.enum(['json', 'combined']).default('json'),
    file: z.string().optional().describe('Standard output unless given'),
  })
  .prefault({});

/** The whole configuration, all files together. */
export const config = z.strictObject({
  listeners: z.record(name, listener).default({}),
  pools: z.record(name, pool).default({}),
  routes: z.array(route).default([]),
  defaults: z.strictObject({ timeouts: timeouts.optional(), retry: retry.optional() }).prefault({}),
  cache,
  admin,
  accessLog,
  drainTimeout: duration.default(30_000).describe('Longest wait for exchanges to finish at shutdown'),
});

export type Config = z.output<typeof config>;
/** What a user writes; tests and `startGateway` take it. */
export type ConfigInput = z.input<typeof config>;
