import type { Environment, OptionSpecs } from './command.ts';
import type { Given } from './options.ts';
import { portOf } from './shared-options.ts';
import type { StartOptions } from './start.ts';
import { UsageError } from './usage-error.ts';
import { zeroConfig } from './zero-config.ts';

/** Of `headgate ROUTE=TARGET …`, which is no command by name. */
export const MAPPING_OPTIONS = {
  listen: { value: 'ADDRESS', summary: 'HEADGATE_LISTEN or 127.0.0.1 unless given' },
  port: { value: 'PORT', short: 'p', summary: 'HTTPS, HEADGATE_PORT or 8443 unless given' },
  'http-port': { value: 'PORT', summary: 'HTTP, which redirects, 8080 unless given' },
  'admin-port': { value: 'PORT', summary: 'health, API and dashboard, 4600 unless given' },
} as const satisfies OptionSpecs;

/**
 * What starts a gateway from `ROUTE=TARGET` arguments.
 * @throws UsageError
 */
export function mappingsOf(given: Given, environment: Environment): StartOptions {
  if (given.positionals.length === 0) throw new UsageError('There is no command', 'For example: headgate start');
  const inline = zeroConfig(given.positionals, {
    ...ifGiven('listen', given.text('listen') ?? environment['HEADGATE_LISTEN']),
    ...ifGiven('port', portOf('--port', given.text('port') ?? environment['HEADGATE_PORT'])),
    ...ifGiven('httpPort', portOf('--http-port', given.text('http-port'))),
    ...ifGiven('adminPort', portOf('--admin-port', given.text('admin-port'))),
  });
  return { path: '', inline, demo: false, strict: false };
}

function ifGiven<K extends string, V>(key: K, value: V | undefined): { readonly [Key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [Key in K]: V });
}
