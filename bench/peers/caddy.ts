import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

export const caddy: Peer = {
  name: 'caddy',
  needs: ['caddy'],
  version: ['caddy', 'version'],
  http: 7131,
  https: 7132,
  http2: true,
  cached: null,
  cachedSecure: null,
  crowded: true,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'Caddyfile');
    const site = `  bind 127.0.0.1
  log {
    output file ${join(directory, 'caddy.log')} {
      roll_disabled
    }
  }
  reverse_proxy 127.0.0.1:${originPort} {
    health_uri /1k
    health_interval 5s
  }`;
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
  log {
    output discard
  }
}
http://127.0.0.1:7131, http://localhost:7131 {
${site}
}
https://localhost:7132, https://127.0.0.1:7132 {
  tls ${certificate} ${key}
${site}
}
`,
    );
    return {
      name: 'caddy',
      argv: ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
      environment: { GOMAXPROCS: '1', HOME: directory },
      port: 7131,
      core: 'proxy',
    };
  },
};
