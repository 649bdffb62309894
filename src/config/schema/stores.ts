import { z } from 'zod';
import { duration } from './units.ts';

const redis = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\/(?:[^/?#\s@]*@)?(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/\d{0,5})?$/, {
      error: 'write redis://host:port or, with TLS, rediss://host:port; a database is /number behind it',
      abort: true,
    })
    .refine(isUsable, 'its port is 1–65535, and a “%” in user or password is written as %25')
    .describe(
      'redis://host:port, or rediss:// with TLS; user:password@ before the host, /number of a database behind it',
    ),
  username: z.string().min(1).optional().describe('Of the access control list; default the server’s default user'),
  password: z.string().optional().describe('Better ${file:…} or ${NAME} than in clear; empty for none'),
  ca: z.string().min(1).optional().describe('File with the CAs that vouch for the server; default those of Node'),
  serverName: z.string().min(1).optional().describe('Name that its certificate must have; default the host of the URL'),
  prefix: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, 'a prefix is 1–64 visible characters')
    .default('headgate')
    .describe('What all keys begin with; gateways with the same one count together'),
  timeout: duration
    .refine((ms) => ms >= 1 && ms <= 1_000, 'it is 1ms to 1s')
    .default(30)
    .describe('How long a request waits for it at most; then this gateway decides by itself'),
  maxWaiting: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('Requests that wait for it at once; this gateway decides by itself for those beyond'),
});

/** The pattern lets pass what no URL is: port 70000, `[:::]`, and `%zz` where user and password are decoded. */
function isUsable(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.port === '0') return false;
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    // URIError: a malformed escape.
    return false;
  }
}

export const store = z.strictObject({ redis: redis.describe('A Redis or Valkey server; needs the package iovalkey') });

export type RedisConfig = z.output<typeof redis>;
