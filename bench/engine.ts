import { engineRig, exchangeFor, usualRequest } from './engine-rig.ts';

// CPU time of everything between downstream and transport for one proxied GET: routing, header fields both ways, the choice of an
// endpoint, delivery. Endpoint and client are objects that answer at once. Run: node bench/engine.ts, or with --cached for a hit
// in the cache in place of the endpoint, with --traced for a part in traces.

const ROUNDS = 12;
const EXCHANGES = 200_000;

const rig = engineRig({
  listeners: { web: { port: 0 } },
  pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
  ...(process.argv.includes('--traced') ? { tracing: {} } : {}),
  routes: [{ name: 'all', pool: 'shop', ...(process.argv.includes('--cached') ? { cache: true } : {}) }],
});

function handle(count: number): void {
  for (let i = 0; i < count; i += 1) rig.engine.handle(exchangeFor(usualRequest));
}

handle(EXCHANGES);
const times = Array.from({ length: ROUNDS }, () => {
  const before = process.cpuUsage();
  handle(EXCHANGES);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / EXCHANGES;
}).sort((a, b) => a - b);
if (rig.finished !== (ROUNDS + 1) * EXCHANGES) throw new Error(`Only ${rig.finished} exchanges were finished`);
const [least = 0] = times;
console.log(`${least.toFixed(2)} µs an exchange at least, ${(times[ROUNDS / 2] ?? 0).toFixed(2)} µs at the median`);
