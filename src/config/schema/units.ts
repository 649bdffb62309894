import { z } from 'zod';

/**
 * What a text means, for diagnostics and editors. Kept beside the schemas, since metadata would end up in the JSON
 * Schema. `noun` completes "… is not ", `form` completes "write ".
 */
export interface ValueForm {
  readonly kind: 'duration' | 'size' | 'share' | 'rate' | 'address' | 'path' | 'status-range' | 'word';
  readonly noun: string;
  readonly form: string;
}
export const valueForms = z.registry<ValueForm>();

const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { '': 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const;

/** `500ms`, `5s`, `2m`, `1h`, `1d`; `0` means "none". Parsed to milliseconds. */
export const duration = z
  .union([z.string(), z.literal(0)])
  .register(valueForms, { kind: 'duration', noun: 'a duration', form: '500ms, 5s, 2m, 1h or 1d' })
  .meta({ description: 'A duration: 500ms, 5s, 2m, 1h, 1d; 0 for none', examples: ['5s'] })
  .transform((text, context) => {
    const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text));
    if (text === 0 || text === '0') return 0;
    if (parts !== null) return Number(parts[1]) * MS[parts[2] as keyof typeof MS];
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not a duration`,
      params: { unit: 'duration' },
    });
    return z.NEVER;
  });

/** `512`, `64k`, `10M`, `1G`; powers of 1024. Parsed to bytes. */
export const size = z
  .union([z.string(), z.number().int().nonnegative()])
  .register(valueForms, { kind: 'size', noun: 'a size', form: '512, 64k, 10M or 1G' })
  .meta({ description: 'A size in bytes: 512, 64k, 10M, 1G', examples: ['10M'] })
  .transform((text, context) => {
    const parts = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(String(text));
    if (parts !== null) return Math.floor(Number(parts[1]) * BYTES[parts[2] as keyof typeof BYTES]);
    context.issues.push({ code: 'custom', input: text, message: `"${text}" is not a size`, params: { unit: 'size' } });
    return z.NEVER;
  });

/** `50%`, `0.5`: part of a whole. Parsed to a number in [0, 1]. */
export const share = z
  .union([z.string(), z.number()])
  .register(valueForms, { kind: 'share', noun: 'a share', form: '50% or 0.5; 100% at most' })
  .meta({ description: 'A share of a whole: 50%, 0.5', examples: ['50%'] })
  .transform((text, context) => {
    const parts = /^(\d+(?:\.\d+)?)(%?)$/.exec(String(text));
    const part = parts === null ? Number.NaN : Number(parts[1]) / (parts[2] === '%' ? 100 : 1);
    if (part <= 1) return part;
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is not a share: give 0% to 100%`,
      params: { unit: 'share' },
    });
    return z.NEVER;
  });

/** One value or a list of them; parsed to a list. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).min(1)])
    .transform((value): readonly z.output<T>[] =>
      Array.isArray(value) ? (value as z.output<T>[]) : [value as z.output<T>],
    );
}

/**
 * For `when` of a refinement: judge every map, also one with other mistakes in it, so that all are told at once.
 * zod would wait until the others are mended.
 */
export function isMap({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const port = z.number().int().min(0).max(65_535).meta({ description: 'A TCP port; 0 for any free one' });

/** Most that a system takes for the path of a Unix socket, in bytes (`sun_path` without its final zero). */
const SOCKET_PATH_BYTES = 107;

/** `/run/app.sock` of `unix:/run/app.sock`; `null` for everything else. */
export function socketPathOf(text: string): string | null {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : '';
  return /^\/[^\0]+$/.test(path) && Buffer.byteLength(path) <= SOCKET_PATH_BYTES ? path : null;
}

/** Name of a listener, pool or route: what logs, metrics and other sections call it. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    'a name is 1–63 letters, digits, "_", "." or "-", and starts with a letter or digit',
  )
  .register(valueForms, {
    kind: 'word',
    noun: 'a name',
    form: '1–63 letters, digits, “_”, “.” or “-”, beginning with a letter or digit',
  });

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TOKEN_FORM = "letters, digits and !#$%&'*+.^_`|~- only";

/** Field name (RFC 9110 §5.1). */
export const headerName = z
  .string()
  .regex(TOKEN, 'not a header field name (RFC 9110 §5.1)')
  .register(valueForms, { kind: 'word', noun: 'a header field name (RFC 9110 §5.1)', form: TOKEN_FORM });

/** Value of a header field that Headgate writes itself. */
export const fieldValue = z
  .string()
  .regex(/^[\t\x20-\x7e]*$/, 'a header field value is printable ASCII')
  .register(valueForms, { kind: 'word', noun: 'a header field value', form: 'printable ASCII' });

/** Any method token (RFC 9110 §9.1), extensions included. Case matters. */
export const method = z
  .string()
  .regex(TOKEN, 'not a method (RFC 9110 §9.1)')
  .register(valueForms, { kind: 'word', noun: 'a method (RFC 9110 §9.1)', form: 'GET, POST, …' });

/** What SNI may say, or `*.` and a name for everything below it. Parsed to lower case. */
export const serverName = z
  .string()
  .regex(
    /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/,
    'a server name is a host name, or *. and a host name',
  )
  .register(valueForms, { kind: 'word', noun: 'a server name', form: 'a host name, or “*.” and a host name' })
  .transform((text) => text.toLowerCase());

/** Cookie name (RFC 6265 §4.1.1). */
export const cookieName = z
  .string()
  .regex(TOKEN, 'not a cookie name (RFC 6265 §4.1.1)')
  .register(valueForms, { kind: 'word', noun: 'a cookie name (RFC 6265 §4.1.1)', form: TOKEN_FORM });

const HOST = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?';

/** What may stand in a Host field (RFC 9110 §7.2): a name or an IP literal, and a port. */
export const authority = z
  .string()
  .regex(new RegExp(String.raw`^(?:${HOST}|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$`), 'a host is a name or an IP literal')
  .register(valueForms, { kind: 'word', noun: 'a host', form: 'a name or an IP literal, with or without a port' });

/** Domain of a cookie (RFC 6265 §4.1.2.3). */
export const cookieDomain = z
  .string()
  .regex(new RegExp(String.raw`^\.?${HOST}$`), 'a cookie domain is a host name')
  .register(valueForms, { kind: 'word', noun: 'a cookie domain', form: 'a host name without a port' });

/** A path from the root. */
export const absolutePath = z
  .string()
  .startsWith('/', 'a path starts with "/"')
  .register(valueForms, { kind: 'path', noun: 'a path', form: 'a path that starts with “/”' });

/** `10.0.0.0/8`, `::1`, `192.0.2.7`, and `unix:` where peers may come that way. Checked for syntax in `control/compile`, where the list is built. */
export const cidr = z.string().meta({ description: 'An address or a network: 192.0.2.7, 10.0.0.0/8, fd00::/8' });
