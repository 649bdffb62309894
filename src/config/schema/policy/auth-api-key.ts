import { z } from 'zod';
import { headerName, isMap } from '../units.ts';
import { realm } from './auth-basic.ts';

/** Of 32 octets. Not by a pattern: what is no digest may be the key itself, and mistakes in patterns show the value. */
const digest = z
  .string()
  .refine(
    (text) => /^sha256:[0-9a-f]{64}$/i.test(text),
    'a key is written as sha256: and the 64 hex digits of its digest',
  )
  .transform((text) => text.slice('sha256:'.length).toLowerCase());

/** RFC 3339, or the day alone, which begins in UTC. */
const instant = z
  .string()
  .refine(
    (text) => INSTANT.test(text) && !Number.isNaN(Date.parse(text)),
    'a time is written as 2027-01-31 or 2027-01-31T12:00:00Z',
  )
  .transform((text) => Date.parse(text));

const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

export const apiKeys = z.array(
  z.strictObject({
    name: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'a name is 1–128 characters of printable ASCII without blanks')
      .describe('Whose key it is: {auth.user} and the log have it'),
    key: digest.describe('sha256: and the SHA-256 of the key in hex'),
    expires: instant.optional().describe('From then on it is refused: 2027-01-31T00:00:00Z'),
    disabled: z.boolean().default(false).describe('It is refused as long as this is true'),
    claims: z.record(z.string(), z.unknown()).default({}).describe('What else is known of its owner: {claim.NAME}'),
  }),
);

export const apiKeyAuth = z
  .strictObject({
    file: z.string().optional().describe('YAML file with a list of keys, as under keys'),
    keys: apiKeys.optional().describe('The keys, in place of a file'),
    header: headerName.default('X-API-Key').describe('Field that carries the key'),
    scheme: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a scheme is one word, as Bearer')
      .optional()
      .describe('Word before the key: Bearer for Authorization: Bearer KEY'),
    query: z
      .string()
      .min(1)
      .optional()
      .describe('Query parameter that may carry it too; removed before anything is sent on'),
    realm: realm.default('headgate').describe('Realm of the challenge'),
    forwardCredentials: z.boolean().default(false).describe('Send the field on to the endpoint'),
  })
  .refine(({ file, keys }) => (file === undefined) !== (keys === undefined), {
    message: 'give file or keys',
    when: isMap,
  })
  // RFC 9110 §11.6.2.
  .refine(({ header, scheme }) => header?.toLowerCase() !== 'authorization' || scheme !== undefined, {
    message: 'Authorization has a scheme before the key: give scheme: Bearer',
    when: isMap,
  });

export type ApiKeyAuthConfig = z.output<typeof apiKeyAuth>;
export type ApiKeyConfig = z.output<typeof apiKeys>[number];
