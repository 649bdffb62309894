import { parseNetworkList } from '../src/policy/access/network-list.ts';

// `node bench/access.ts`: milliseconds to read a list of networks, which nobody else's event loop turns meanwhile, and nanoseconds to look an
// address up in it, with 10, 1 000, 100 000 and 500 000 of IPv4 and of IPv6. The aim: 100 000 cost a look-up at most twice what 10 do.

const SIZES = [10, 1_000, 100_000, 500_000];
const LOOKUPS = 1_000_000;
const ROUNDS = 5;

function scattered(i: number): number {
  return Math.imul(i + 1, 2_654_435_761) >>> 0;
}

function octets(value: number): string {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff].join('.');
}

const families = {
  IPv4: {
    network: (i: number) => `${octets(scattered(i))}${i % 3 === 0 ? '/28' : ''}`,
    address: (i: number) => octets(scattered(i * 7)),
  },
  IPv6: {
    network: (i: number) =>
      `2a0${(i & 7).toString(16)}:${(scattered(i) >>> 16).toString(16)}:${(i & 0xffff).toString(16)}::/48`,
    address: (i: number) =>
      `2a0${(i & 7).toString(16)}:${(scattered(i) >>> 16).toString(16)}:${(i & 0xffff).toString(16)}::17`,
  },
};

/** CPU time: others may be at work on the machine. */
function cpuMs(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1_000;
}

function least(measure: () => number): number {
  return Math.min(...Array.from({ length: ROUNDS }, measure));
}

for (const [family, { network, address }] of Object.entries(families)) {
  for (const size of SIZES) {
    const content = Buffer.from(Array.from({ length: size }, (_, i) => network(i)).join('\n'));
    const readMs = least(() => {
      const begin = process.cpuUsage();
      parseNetworkList(content);
      return cpuMs(begin);
    });
    const set = parseNetworkList(content);
    const addresses = Array.from({ length: 1_024 }, (_, i) => address(i));
    let hits = 0;
    const lookupNs = least(() => {
      const begin = process.cpuUsage();
      for (let i = 0; i < LOOKUPS; i += 1) if (set.holds(addresses[i & 1_023] as string)) hits += 1;
      return (cpuMs(begin) * 1e6) / LOOKUPS;
    });
    const found = Math.round((100 * hits) / (LOOKUPS * ROUNDS));
    console.log(
      `${family} ${size}: read in ${readMs.toFixed(1)} ms, look-up ${lookupNs.toFixed(0)} ns (${found} % found)`,
    );
  }
}
