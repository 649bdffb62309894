import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  needs: ['haproxy'],
  version: ['haproxy', '-v'],
  http: 7121,
  https: 7122,
  http2: true,
  cached: null,
  cachedSecure: null,
  crowded: false,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'haproxy.cfg');
    // It knows no log files: its lines go to standard output, one call of the kernel each, and that is a file.
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend plain
  bind 127.0.0.1:7121
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
frontend secure
  bind 127.0.0.1:7122 ssl crt ${certificate} alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  option httpchk GET /1k
  server one 127.0.0.1:${originPort} check
`,
    );
    // HAProxy looks for the key beside the certificate under this name.
    writeFileSync(`${certificate}.key`, readFileSync(key, 'utf8'), { mode: 0o600 });
    const output = join(directory, 'haproxy.log');
    return { name: 'haproxy', argv: ['haproxy', '-db', '-f', file], port: 7121, core: 'proxy', output };
  },
};
