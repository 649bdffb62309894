import type { Environment, OptionSpecs } from './command.ts';
import type { Given } from './options.ts';
import { UsageError } from './usage-error.ts';

export const CONFIG_OPTION = {
  config: {
    value: 'PATH',
    short: 'c',
    summary: 'directory or file; HEADGATE_CONFIG, or routes/, unless given',
    completes: 'path',
  },
} as const satisfies OptionSpecs;

export const JSON_OPTION = { json: { summary: 'for programs' } } as const satisfies OptionSpecs;

/** Of the commands that have to do with the local CA. */
export const CERTS_OPTION = {
  certs: {
    value: 'DIR',
    summary: 'where the local CA is; unless given HEADGATE_CERTS, certs/, or where\nheadgate ROUTE=TARGET keeps it',
    completes: 'directory',
  },
} as const satisfies OptionSpecs;

/** Directory or file of the configuration. */
export function configPathOf(given: Given, environment: Environment): string {
  return given.text('config') ?? environment['HEADGATE_CONFIG'] ?? 'routes';
}

/** @throws UsageError for what is no port; `undefined` stays. */
export function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`“${text}” is not a port`, `A port is a number from 0 to 65535: ${option} 8443`);
}
