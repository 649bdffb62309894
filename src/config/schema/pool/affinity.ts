import { z } from 'zod';
import { absolutePath, cookieDomain, cookieName, duration, valueForms } from '../units.ts';

export const affinity = z
  .strictObject({
    cookie: cookieName.optional().describe('Name of the cookie; headgate- and the pool’s name unless given'),
    secret: z
      .string()
      .min(16)
      .optional()
      .describe('Signs the cookie; give the same to every gateway. Random at each start unless given'),
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
    secure: z.enum(['auto', 'always', 'never']).default('auto').describe('auto: when the client came over TLS'),
    httpOnly: z.boolean().default(true).describe('Hide the cookie from scripts'),
    sameSite: z.enum(['strict', 'lax', 'none']).default('lax').describe('SameSite of the cookie'),
    maxAge: duration.optional().describe('Lifetime of the cookie; a session cookie unless given'),
  })
  .meta({ description: 'Sticky sessions by cookie' });
