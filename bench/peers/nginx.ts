import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_CONNECTIONS, type Peer } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  needs: ['nginx'],
  version: ['nginx', '-v'],
  http: 7111,
  https: 7112,
  http2: true,
  cached: 7113,
  cachedSecure: 7114,
  crowded: true,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'nginx.conf');
    mkdirSync(join(directory, 'nginx-cache'), { recursive: true });
    const tls = `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;`;
    const cached = 'location / { proxy_pass http://origin; proxy_cache bench; proxy_cache_valid 200 10m; }';
    // Lines are gathered as Headgate gathers them: without a buffer, each costs nginx a call of the kernel.
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr crit;
events { worker_connections ${MAX_CONNECTIONS}; }
http {
  access_log ${directory}/nginx.log combined buffer=32k flush=1s; keepalive_timeout 300; keepalive_requests 100000000;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  proxy_cache_path ${directory}/nginx-cache keys_zone=bench:10m;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests 100000000; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  server { listen 127.0.0.1:7111; location / { proxy_pass http://origin; } }
  server { listen 127.0.0.1:7112 ssl http2; ${tls} location / { proxy_pass http://origin; } }
  server { listen 127.0.0.1:7113; ${cached} }
  server { listen 127.0.0.1:7114 ssl; ${tls} ${cached} }
}
`,
    );
    return { name: 'nginx', argv: ['nginx', '-c', file, '-p', directory], port: 7111, core: 'proxy' };
  },
};
