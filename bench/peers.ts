import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './processes.ts';

export interface Place {
  /** Scratch directory for configurations and caches. */
  readonly directory: string;
  readonly originPort: number;
  readonly certificate: string;
  readonly key: string;
}

export interface Peer {
  readonly name: string;
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** Ports for plain HTTP, TLS, and plain HTTP with its cache on; `null` where the peer has no such thing. */
  readonly http: number | null;
  readonly https: number | null;
  readonly http2: boolean;
  readonly cached: number | null;
  /** Configured for many idle connections at once, and for attacks. */
  readonly crowded: boolean;
  command(place: Place): Command;
}

const here = import.meta.dirname;

/** Enough for the idle connections of `idle.ts`, within the 20 000 descriptors that a process has on many machines. */
const MAX_CONNECTIONS = 19_500;

const headgate: Peer = {
  name: 'headgate',
  needs: [],
  http: 7101,
  https: 7102,
  http2: true,
  cached: 7103,
  crowded: true,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'headgate.yaml');
    writeFileSync(
      file,
      `listeners:
  plain: { address: 127.0.0.1, port: 7101, limits: { connectionsPerAddress: ${MAX_CONNECTIONS} } }
  secure:
    address: 127.0.0.1
    port: 7102
    limits: { connections: ${MAX_CONNECTIONS}, connectionsPerAddress: ${MAX_CONNECTIONS}, idleTimeout: 5m }
    tls: { certificate: ${certificate}, key: ${key} }
  cached: { address: 127.0.0.1, port: 7103 }
pools:
  origin: { endpoints: ['127.0.0.1:${originPort}'] }
routes:
  - { listeners: [plain, secure], match: { path: /** }, pool: origin }
  - { listeners: [cached], match: { path: /** }, pool: origin, cache: {} }
admin: { port: 7109 }
accessLog: { enabled: false }
`,
    );
    const main = join(here, '../src/main.ts');
    return { name: 'headgate', argv: [process.execPath, main, 'start', '-c', file], port: 7101, core: 'proxy' };
  },
};

const nginx: Peer = {
  name: 'nginx',
  needs: ['nginx'],
  http: 7111,
  https: 7112,
  http2: true,
  cached: 7113,
  crowded: true,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'nginx.conf');
    mkdirSync(join(directory, 'nginx-cache'), { recursive: true });
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr crit;
events { worker_connections ${MAX_CONNECTIONS}; }
http {
  access_log off; keepalive_timeout 300; keepalive_requests 100000000;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  proxy_cache_path ${directory}/nginx-cache keys_zone=bench:10m;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests 100000000; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $remote_addr;
  server { listen 127.0.0.1:7111; location / { proxy_pass http://origin; } }
  server {
    listen 127.0.0.1:7112 ssl http2; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / { proxy_pass http://origin; }
  }
  server { listen 127.0.0.1:7113; location / { proxy_pass http://origin; proxy_cache bench; proxy_cache_valid 200 10m; } }
}
`,
    );
    return { name: 'nginx', argv: ['nginx', '-c', file, '-p', directory], port: 7111, core: 'proxy' };
  },
};

const haproxy: Peer = {
  name: 'haproxy',
  needs: ['haproxy'],
  http: 7121,
  https: 7122,
  http2: true,
  cached: null,
  crowded: false,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend plain
  bind 127.0.0.1:7121
  default_backend origin
frontend secure
  bind 127.0.0.1:7122 ssl crt ${certificate} alpn h2,http/1.1
  default_backend origin
backend origin
  server one 127.0.0.1:${originPort}
`,
    );
    // HAProxy looks for the key beside the certificate under this name.
    writeFileSync(`${certificate}.key`, readFileSync(key, 'utf8'), { mode: 0o600 });
    return { name: 'haproxy', argv: ['haproxy', '-db', '-f', file], port: 7121, core: 'proxy' };
  },
};

const caddy: Peer = {
  name: 'caddy',
  needs: ['caddy'],
  http: 7131,
  https: 7132,
  http2: true,
  cached: null,
  crowded: true,
  command: ({ directory, originPort, certificate, key }) => {
    const file = join(directory, 'Caddyfile');
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
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${originPort}
}
https://localhost:7132, https://127.0.0.1:7132 {
  bind 127.0.0.1
  tls ${certificate} ${key}
  reverse_proxy 127.0.0.1:${originPort}
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

const varnish: Peer = {
  name: 'varnish',
  needs: ['varnishd'],
  http: null,
  https: null,
  http2: false,
  cached: 7141,
  crowded: false,
  command: ({ directory, originPort }) => ({
    name: 'varnish',
    argv: [
      'varnishd',
      '-F',
      '-a',
      '127.0.0.1:7141',
      '-b',
      `127.0.0.1:${originPort}`,
      '-n',
      join(directory, 'varnish'),
      '-s',
      'malloc,64m',
      '-p',
      'thread_pools=1',
      '-t',
      '600',
    ],
    port: 7141,
    core: 'proxy',
  }),
};

function nodePeer(name: string, script: string, http: number, https: number): Peer {
  return {
    name,
    needs: [],
    http,
    https,
    http2: false,
    cached: null,
    crowded: false,
    command: ({ originPort, certificate, key }) => ({
      name,
      argv: [
        process.execPath,
        join(here, 'peers', script),
        String(originPort),
        String(http),
        String(https),
        certificate,
        key,
      ],
      port: http,
      core: 'proxy',
    }),
  };
}

/** No cache, but what a cache hit is measured by. */
const fastifyHello: Peer = {
  ...nodePeer('fastify-hello', 'fastify-hello.ts', 7171, 0),
  http: null,
  https: null,
  cached: 7171,
};

export const peers: readonly Peer[] = [
  headgate,
  nginx,
  haproxy,
  caddy,
  nodePeer('http-proxy', 'http-proxy.ts', 7151, 7152),
  nodePeer('@fastify/http-proxy', 'fastify-http-proxy.ts', 7161, 7162),
  fastifyHello,
  varnish,
];
