import { z } from 'zod';
import { port, socketPathOf, valueForms } from './units.ts';

/** The whole of it is `address` and `port`; either may hold the port. */
export type BindAddress =
  /** `host` `null`: every address. */
  { readonly host: string | null; readonly port: number | null } | { readonly socketPath: string };

/** `127.0.0.1`, `::1`, `localhost`; with a port `127.0.0.1:8443`, `[::1]:8443`, `:8443`; or `unix:/run/headgate.sock`. */
export const bindAddress = z
  .string()
  .register(valueForms, {
    kind: 'word',
    noun: 'an address to listen on',
    form: '127.0.0.1, ::1, either with a port ([::1]:8443), :8443, or unix:/path',
  })
  .meta({ examples: ['127.0.0.1', ':8443', '[::1]:8443', 'unix:/run/headgate.sock'] })
  .transform((text, context) => {
    const parsed = parseBindAddress(text);
    if (parsed !== null) return parsed;
    context.issues.push({ code: 'custom', input: text, message: `"${text}" is not an address to listen on` });
    return z.NEVER;
  });

function parseBindAddress(text: string): BindAddress | null {
  const socketPath = socketPathOf(text);
  if (socketPath !== null) return { socketPath };
  // IPv6 without brackets has no port: its last group looks like one.
  if (/^[0-9a-fA-F:.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?$/.test(text)) return { host: text, port: null };
  const parts = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]*))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null || text === '') return null;
  const [, literal, name = '', digits] = parts;
  const bound = digits === undefined ? null : Number(digits);
  if (bound !== null && !port.safeParse(bound).success) return null;
  return { host: literal ?? (name === '' ? null : name), port: bound };
}

/** Permission bits in octal, as text: what YAML makes of a bare `0660` is another number. */
export const fileMode = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'a mode is three octal digits')
  .register(valueForms, { kind: 'word', noun: 'a file mode', form: 'three octal digits in quotes: "0660"' })
  .meta({ examples: ['0660'] })
  .transform((text) => Number.parseInt(text, 8));

const DEFAULT_MODE = 0o660;

/** Where a listener listens, `address`, `port` and `mode` together. */
export type ListenPlace =
  /** `host` `null` is every address. */
  | { readonly kind: 'tcp'; readonly host: string | null; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number };

/** For a refinement, which may see what could not be parsed: that has an error of its own. */
export function hasPort({ address, port: own }: { readonly address?: unknown; readonly port?: unknown }): boolean {
  if (own !== undefined) return true;
  if (typeof address !== 'object' || address === null) return address !== undefined;
  return !('port' in address) || address.port !== null;
}

/** `null` when no port is given, or two. */
export function listenPlaceOf(config: {
  readonly address?: BindAddress | undefined;
  readonly port?: number | undefined;
  readonly mode?: number | undefined;
}): ListenPlace | null {
  const { address, port: own, mode = DEFAULT_MODE } = config;
  if (address !== undefined && 'socketPath' in address) return { kind: 'unix', path: address.socketPath, mode };
  const within = address?.port ?? undefined;
  const bound = own ?? within;
  if (bound === undefined || (own !== undefined && within !== undefined)) return null;
  return { kind: 'tcp', host: address?.host ?? null, port: bound };
}
