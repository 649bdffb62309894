import { caddy } from './peers/caddy.ts';
import { haproxy } from './peers/haproxy.ts';
import { headgate } from './peers/headgate.ts';
import { nginx } from './peers/nginx.ts';
import { fastifyHello, fastifyHttpProxy, httpProxy } from './peers/node-proxies.ts';
import type { Peer } from './peers/peer.ts';
import { varnish } from './peers/varnish.ts';

/** Headgate is the first: the others are loaded by what it can do. */
export const peers: readonly Peer[] = [
  headgate,
  nginx,
  haproxy,
  caddy,
  httpProxy,
  fastifyHttpProxy,
  fastifyHello,
  varnish,
];
