import { z } from 'zod';
import { fileMode } from './bind-address.ts';
import { port, socketPathOf } from './units.ts';

/** What a token is made of, in the configuration as in a file. */
export const TOKEN = /^[\x21-\x7e]{16,}$/;

/** Where the admin listener is, and who may ask it. */
export const admin = z
  .strictObject({
    address: z.string().default('127.0.0.1').describe('Address to bind'),
    port: port.default(4600).describe('Port of the API and the dashboard'),
    socket: z
      .string()
      .refine((path) => socketPathOf(`unix:${path}`) !== null, 'a socket is an absolute path of at most 107 bytes')
      .optional()
      .describe('Path of a Unix socket to listen on, in place of address and port'),
    mode: fileMode
      .optional()
      .describe(
        'Permissions of the file of the Unix socket: who may write to it may read and change everything; "0600" unless given',
      ),
    token: z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'a token is visible ASCII without blanks')
      .min(16)
      .optional()
      .describe(
        'Who changes things brings it (Authorization: Bearer), and from other machines also who reads; without, only a loopback address or a Unix socket lets anybody do either',
      ),
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe('File that holds the token, read again when it changes; in place of token'),
    metrics: z
      .enum(['token', 'open'])
      .default('token')
      .describe('Who may read /metrics from other machines: who brings the token, or everybody'),
    requestsPerSecond: z
      .number()
      .int()
      .min(1)
      .default(100)
      .describe('Requests of one client address; twice as many may come at once'),
  })
  .refine(({ token, tokenFile }) => token === undefined || tokenFile === undefined, {
    message: 'either "token" or "tokenFile"',
    path: ['tokenFile'],
  })
  .prefault({});

export type AdminConfig = z.output<typeof admin>;
