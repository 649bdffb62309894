/** http-proxy 1.18 in front of the origin, with kept-alive upstream connections. */
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import httpProxy from 'http-proxy';

const [origin, port, securePort, certificate, key] = process.argv.slice(2) as [string, string, string, string, string];
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${origin}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502);
  response.end();
});
createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) =>
  proxy.web(request, response),
).listen(Number(securePort), '127.0.0.1');
