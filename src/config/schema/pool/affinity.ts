import { z } from 'zod';
import {
  absolutePath,
  cookieDomain,
  cookieName,
  duration,
  headerName,
  isMap,
  oneOrMore,
  valueForms,
} from '../units.ts';

/** 250 MB of them. */
const MOST_SESSIONS = 1_000_000;

/** Below it, `Max-Age` would be 0, which removes the cookie. */
const SHORTEST_AGE_MS = 1_000;

export const affinity = z
  .strictObject({
    cookie: cookieName.optional().describe('Name of the cookie; headgate- and the pool’s name unless given'),
    secret: oneOrMore(z.string().min(16))
      .optional()
      .describe(
        'Signs the cookie; give the same to every gateway. Of several the first signs and all are understood. Random at each start unless given',
      ),
    path: absolutePath
      .regex(/^[\x20-\x3a\x3c-\x7e]+$/, 'a cookie path is ASCII without ";"')
      .register(valueForms, {
        kind: 'path',
        noun: 'a cookie path',
        form: 'a path that starts with “/”, in ASCII without “;”',
      })
      .default('/')
      .describe('Path of the cookie'),
    domain: cookieDomain.optional().describe('Domain of the cookie; the request’s host alone unless given'),
    secure: z
      .enum(['auto', 'always', 'never'])
      .default('auto')
      .describe('auto: when the client came over TLS, and always with sameSite none'),
    httpOnly: z.boolean().default(true).describe('Hide the cookie from scripts'),
    sameSite: z.enum(['strict', 'lax', 'none']).default('lax').describe('SameSite of the cookie'),
    maxAge: duration.optional().describe('Lifetime of the cookie; a session cookie unless given'),
    learn: cookieName
      .optional()
      .describe('In place of a cookie of ours: the cookie in which the application keeps its sessions'),
    header: headerName
      .optional()
      .describe(
        'In place of a cookie: the field that names a session, given out by the application or chosen by clients',
      ),
    sessions: z
      .number()
      .int()
      .min(1)
      .max(MOST_SESSIONS)
      .default(100_000)
      .describe('Sessions that are remembered, with learn and header; the longest unused makes room'),
    idle: duration
      .default(30 * 60_000)
      .describe('A session that is not used is forgotten after this, with learn and header'),
  })
  .refine(({ secure, sameSite }) => sameSite !== 'none' || secure !== 'never', {
    message: 'browsers drop a cookie with SameSite=None that is not Secure: write secure: auto, or sameSite: lax',
    path: ['secure'],
    when: isMap,
  })
  .refine(({ maxAge = 0 }) => maxAge === 0 || maxAge >= SHORTEST_AGE_MS, {
    message: '“maxAge” is in whole seconds: 1s at least, or 0 for a session cookie',
    when: isMap,
  })
  .refine(({ idle }) => idle !== 0, {
    message: '“idle” is above 0: a session has to be remembered for some time',
    when: isMap,
  })
  .refine(({ cookie, secure, sameSite }) => !/^__(host|secure)-/i.test(cookie ?? '') || isSecure(secure, sameSite), {
    message: 'the prefix of this name promises Secure (RFC 6265bis §4.1.3): write secure: always',
    when: isMap,
  })
  .refine(({ cookie, domain, path }) => !/^__host-/i.test(cookie ?? '') || (domain === undefined && path === '/'), {
    message: '“__Host-” promises the path / and no domain (RFC 6265bis §4.1.3)',
    when: isMap,
  })
  .meta({ description: 'Sticky sessions' });

/** Over every connection, TLS or not. */
export function isSecure(secure: 'auto' | 'always' | 'never', sameSite: 'strict' | 'lax' | 'none'): boolean {
  return secure === 'always' || (secure === 'auto' && sameSite === 'none');
}
