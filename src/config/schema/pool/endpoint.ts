import { z } from 'zod';
import { socketPathOf, valueForms } from '../units.ts';
import { priority } from './balance.ts';

/** `host:port`, `http://host:port`, `https://host[:port]`, `[::1]:3000`, `unix:/run/app.sock`. Parsed to its parts. */
const address = z
  .string()
  .register(valueForms, {
    kind: 'address',
    noun: 'an endpoint address',
    form: 'host:port, http(s)://host[:port], or unix:/path',
  })
  .meta({
    description: 'host:port, a URL without a path, or unix: and the path of a socket',
    examples: ['127.0.0.1:3000', 'https://api.example.com', 'unix:/run/app.sock'],
  })
  .transform((text, context) => {
    const parsed = parseEndpointAddress(text);
    if (parsed !== null) return parsed;
    const message = `"${text}" is not an endpoint address: give host:port, http(s)://host[:port], or unix:/path`;
    context.issues.push({ code: 'custom', input: text, message });
    return z.NEVER;
  });

type EndpointAddress =
  | { readonly secure: boolean; readonly host: string; readonly port: number }
  | { readonly socketPath: string };

/** `null` for what is no such address. */
export function parseEndpointAddress(text: string): EndpointAddress | null {
  const socketPath = socketPathOf(text);
  if (socketPath !== null) return { socketPath };
  const parts = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/.exec(text);
  if (parts === null) return null;
  const [, scheme, host = '', digits] = parts;
  const secure = scheme === 'https';
  const port = digits === undefined ? (scheme === undefined ? Number.NaN : secure ? 443 : 80) : Number(digits);
  return port >= 1 && port <= 65_535 ? { secure, host: host.replace(/^\[|\]$/g, ''), port } : null;
}

export const endpoint = z
  .union([
    address.transform((parsed) => ({ address: parsed, weight: 1, priority: 0 })),
    z.strictObject({
      address: address.describe('host:port, a URL without a path, or unix:/path'),
      weight: z.number().int().min(0).max(1000).default(1).describe('Share of traffic; 0 for none'),
      priority,
    }),
  ])
  .meta({ description: 'One address of the pool' });
