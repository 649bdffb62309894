import { Bench } from 'tinybench';
import type { LoadedCertificate } from '../src/control/certificates/certificate-file.ts';
import { CertificateSelection } from '../src/control/certificates/selection.ts';

// Time of one choice by server name: must not grow with the number of names. Run: node bench/certificates.ts

const CHOICES = 1_000; // per sample: one is below the resolution of the clock

function selection(count: number): CertificateSelection {
  const certificates = Array.from({ length: count }, (_, index) => {
    const names = index % 2 === 0 ? [`shop-${index}.example`] : [`*.shop-${index}.example`];
    return {
      names,
      keyType: 'ecdsa',
      digest: `${index}`,
      pair: { certificate: '', key: '' },
    } as unknown as LoadedCertificate;
  });
  return new CertificateSelection(
    { certificates, quarantined: [] },
    { providers: [], unknownNames: 'default', staple: null },
  );
}

const bench = new Bench({ time: 300, warmupTime: 100 });
for (const count of [2, 100, 10_000]) {
  const source = selection(count);
  const asked = {
    exact: Array.from({ length: 256 }, (_, i) => `shop-${((i * 78) % count) & ~1}.example`),
    wildcard: Array.from({ length: 256 }, (_, i) => `www.shop-${((i * 78) % count) | 1}.example`),
    unknown: Array.from({ length: 256 }, (_, i) => `other-${i}.example`),
  };
  for (const [kind, names] of Object.entries(asked)) {
    bench.add(`${kind}, ${count} names`, () => {
      for (let i = 0; i < CHOICES; i += 1) void source.certificateFor(names[i & 255] as string);
    });
  }
}

await bench.run();
console.table(
  bench.tasks.map(({ name, result }) => ({
    choice: name,
    'ns per choice': 'latency' in result ? Number(((result.latency.p50 * 1e6) / CHOICES).toFixed(1)) : Number.NaN,
  })),
);
