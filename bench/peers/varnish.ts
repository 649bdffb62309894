import { join } from 'node:path';
import type { Peer } from './peer.ts';

/** It always logs, to shared memory; a file of that is the work of another process (varnishncsa), which is not started here. */
export const varnish: Peer = {
  name: 'varnish',
  needs: ['varnishd'],
  version: ['varnishd', '-V'],
  http: null,
  https: null,
  http2: false,
  cached: 7141,
  cachedSecure: null,
  crowded: false,
  command: ({ directory, originPort }) => ({
    name: 'varnish',
    argv: [
      'varnishd',
      ...['-F', '-a', '127.0.0.1:7141', '-b', `127.0.0.1:${originPort}`, '-n', join(directory, 'varnish')],
      ...['-s', 'malloc,64m', '-p', 'thread_pools=1', '-t', '600'],
    ],
    port: 7141,
    core: 'proxy',
  }),
};
