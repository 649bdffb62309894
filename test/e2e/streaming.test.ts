import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { download, downloadHttp2, type FloodResult, upload, uploadHttp2 } from './kit/flood-client.ts';
import { type Flood, FloodOrigin } from './kit/flood-origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { MemoryWatch } from './kit/memory-watch.ts';
import { within } from './kit/patience.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const MIB = 1024 * 1024;
const HUGE: Flood = { total: 4096 * MIB, pauses: 5 };
/** Buffers, compiled code and the young generation of the heap reach their usual size before anything is measured. */
const WARM_UP: Flood = { total: 1024 * MIB, pauses: 2 };
const MOST_GROWTH = 64 * MIB;
const PATIENCE_MS = 60_000;

let origin: FloodOrigin;
let gateway: GatewayProcess;

beforeAll(async () => {
  origin = await FloodOrigin.listen();
});

afterAll(async () => {
  await origin?.close();
});

// A process each: the memory of one test is not the warm-up of another.
beforeEach(async () => {
  gateway = await GatewayProcess.start(
    {
      listeners: {
        http: { address: '127.0.0.1', port: 0 },
        https: { address: '127.0.0.1', port: 0, tls: {} },
      },
      pools: { flood: { endpoints: [`127.0.0.1:${origin.port}`] } },
      routes: [{ pool: 'flood' }],
    },
    directory,
  );
  return async () => {
    await gateway.stop();
    expect(gateway.complaints()).toEqual([]);
  };
});

const floods: readonly { readonly name: string; readonly flood: () => Promise<FloodResult> }[] = [
  { name: 'download over HTTP/1.1', flood: () => download(gateway.port('http'), origin) },
  {
    name: 'download over HTTP/2 and TLS',
    flood: () => downloadHttp2(gateway.port('https'), gateway.authority(), origin),
  },
  { name: 'upload over HTTP/1.1', flood: () => upload(gateway.port('http'), origin) },
  { name: 'upload over HTTP/2 and TLS', flood: () => uploadHttp2(gateway.port('https'), gateway.authority(), origin) },
];

test.each(floods)(
  'a 4 GiB $name through a reader that stops again and again grows the gateway by less than 64 MiB',
  {
    timeout: 90_000,
  },
  async ({ name, flood }) => {
    origin.flood = WARM_UP;
    await within(flood(), `the warm-up of ${name}`, PATIENCE_MS);
    origin.flood = HUGE;
    const began = performance.now();
    const watch = new MemoryWatch(gateway.pid);
    const result = await within(flood(), name, PATIENCE_MS).finally(() => watch.stop());
    const grown = watch.stop();
    report(name, {
      grown,
      base: watch.baseBytes,
      between: result.mostBetween,
      seconds: (performance.now() - began) / 1000,
    });
    expect(result).toMatchObject({ status: 200, received: HUGE.total, pauses: HUGE.pauses });
    expect(grown).toBeLessThan(MOST_GROWTH);
    // Sockets' buffers in the kernel, and what the gateway holds: the reader's pause is felt by the writer.
    expect(result.mostBetween).toBeLessThan(MOST_GROWTH);
  },
);

function report(name: string, facts: { grown: number; base: number; between: number; seconds: number }): void {
  const [grown, base, between] = [facts.grown, facts.base, facts.between].map((bytes) => (bytes / MIB).toFixed(1));
  console.info(
    `${name}: ${facts.seconds.toFixed(1)} s, ${grown} MiB more than the ${base} MiB before, ${between} MiB under way at most`,
  );
}
