import { z } from 'zod';
import { duration, isMap } from '../units.ts';

/** Stands in quotes in a challenge. */
export const realm = z.string().regex(/^[\x20-\x7e]{1,128}$/, 'a realm is 1–128 characters of printable ASCII');

export const basicAuth = z
  .strictObject({
    file: z.string().optional().describe('htpasswd file: a line user:hash each, bcrypt, argon2 or scrypt'),
    users: z
      .record(z.string().min(1), z.string())
      .optional()
      .describe('Hashes of passwords by name of the user, in place of a file'),
    realm: realm.default('headgate').describe('What browsers show when they ask for the password'),
    cacheFor: duration.default(300_000).describe('How long a verified password is not verified again; 0 for never'),
    forwardCredentials: z.boolean().default(false).describe('Send Authorization on to the endpoint'),
  })
  .refine(({ file, users }) => (file === undefined) !== (users === undefined), {
    message: 'give file or users',
    when: isMap,
  });

export type BasicAuthConfig = z.output<typeof basicAuth>;
