import { delimiter, dirname } from 'node:path';

/**
 * Changes to the environment for programs that work in a folder of their own: npm and vitest tell their children about
 * themselves, which a build elsewhere must not hear, and `node` is the one that runs the tests.
 */
export function ownEnvironment(): Record<string, string | undefined> {
  const foreign = Object.keys(process.env).filter((name) =>
    /^(npm_(?!config_)|NODE_ENV$|NODE_OPTIONS$|VITEST)/i.test(name),
  );
  return {
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    npm_config_local_prefix: undefined,
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
  };
}
