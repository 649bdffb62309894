import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalAuthority } from '../src/control/certificates/local-authority.ts';
import type { Place } from './peers/peer.ts';
import { type Running, start } from './processes.ts';

const ORIGIN_PORT = 7100;

/** The origin of all proxies, a static nginx, so that it is never the bottleneck; and what proxies need besides: a certificate. */
export async function startOrigin(directory: string): Promise<{ readonly place: Place; readonly origin: Running }> {
  const root = join(directory, 'www');
  mkdirSync(root);
  writeFileSync(join(root, '1k'), 'x'.repeat(1024));
  writeFileSync(join(root, '100k'), 'x'.repeat(100 * 1024));
  const configuration = join(directory, 'origin.conf');
  writeFileSync(
    configuration,
    `daemon off; worker_processes 1; pid ${directory}/origin.pid; error_log stderr crit; user root;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile on; tcp_nopush on;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  server { listen 127.0.0.1:${ORIGIN_PORT}; root ${root}; add_header Cache-Control max-age=600; } }
`,
  );
  const authority = new LocalAuthority({ directory: join(directory, 'certs'), now: Date.now });
  const { certificate, key } = await authority.filesFor(['localhost', '127.0.0.1']);
  const argv = ['nginx', '-c', configuration, '-p', directory] as const;
  const origin = await start({ name: 'origin', argv: [...argv], port: ORIGIN_PORT, core: 'other' });
  return { place: { directory, originPort: ORIGIN_PORT, certificate, key }, origin };
}
