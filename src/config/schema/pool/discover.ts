import { z } from 'zod';
import { ownDns } from '../dns.ts';
import { socketPathOf, valueForms } from '../units.ts';
import { parseEndpointAddress } from './endpoint.ts';

const scheme = z.enum(['http', 'https']).default('http').describe('What the endpoints speak: https is HTTP over TLS');

/** A host and a port, or a URL without a path. */
const namedAddress = z
  .string()
  .register(valueForms, {
    kind: 'word',
    noun: 'a name and its port',
    form: 'api.internal:3000 or https://api.internal',
  })
  .meta({ examples: ['api.internal:3000', 'https://api.internal'] })
  .transform((text, context) => {
    const parsed = parseEndpointAddress(text);
    if (parsed !== null && 'host' in parsed) return parsed;
    context.issues.push({ code: 'custom', input: text, message: `"${text}" is not a name and its port` });
    return z.NEVER;
  });

const byName = z.strictObject({
  dns: namedAddress.describe(
    'Name and port, api.internal:3000 or https://api.internal; each of its addresses is an endpoint',
  ),
  ...ownDns,
});

const byService = z.strictObject({
  srv: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a service is a name like _http._tcp.api.internal')
    .max(253)
    .register(valueForms, { kind: 'word', noun: 'the name of a service', form: '_http._tcp.api.internal' })
    .describe('Name of SRV records (RFC 2782): host, port, priority and weight of each endpoint'),
  scheme,
  ...ownDns,
});

const byFile = z.strictObject({
  file: z
    .string()
    .min(1)
    .describe(
      'YAML or JSON: a list of endpoints as under “endpoints”. Watched; a broken one leaves the last good one in force',
    ),
});

/** A Unix socket, or a proxy in front of it that lets only reading through. */
const dockerAddress = z
  .string()
  .register(valueForms, {
    kind: 'word',
    noun: 'where Docker listens',
    form: '/var/run/docker.sock or http://host:port',
  })
  .meta({ examples: ['/var/run/docker.sock', 'http://docker-proxy:2375'] })
  .transform((text, context): DockerAddress => {
    const socketPath = socketPathOf(text.startsWith('/') ? `unix:${text}` : text);
    if (socketPath !== null) return { socketPath };
    if (/^http:\/\/[^/\s?#@]+\/?$/.test(text) && URL.canParse(text)) return { url: new URL(text).origin };
    context.issues.push({ code: 'custom', input: text, message: `"${text}" is not where Docker listens` });
    return z.NEVER;
  });

type DockerAddress = { readonly socketPath: string } | { readonly url: string };

const byDocker = z.strictObject({
  docker: z.strictObject({
    socket: dockerAddress
      .prefault('/var/run/docker.sock')
      .describe('Socket of the Docker engine, or http://host:port of a proxy to it; only GET is ever sent'),
    label: z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'a label is KEY or KEY=VALUE')
      .optional()
      .describe('Containers with this label, KEY or KEY=VALUE; headgate.pool= and the pool’s name unless given'),
    port: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port in the container; its label headgate.port comes first, the lowest that it exposes last'),
    network: z.string().min(1).optional().describe('Network whose addresses to use; a container’s first unless given'),
    scheme,
  }),
});

export const discover = z
  .union([byName, byService, byFile, byDocker])
  .meta({ description: 'Where further endpoints come from, while the gateway runs' });

export type DiscoverConfig = z.output<typeof discover>;
