import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { download, downloadHttp2, type FloodResult, upload, uploadHttp2 } from './kit/flood-client.ts';
import { type Flood, FloodOrigin } from './kit/flood-origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { peakOf } from './kit/memory-watch.ts';
import { within } from './kit/patience.ts';
import { residentBytes } from './kit/process-facts.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const MIB = 1024 * 1024;
const HUGE: Flood = { total: 4096 * MIB, pauses: 5 };
/**
 * V8 lets 64 MiB of dead buffers lie before it collects them, so that memory goes up and down like a saw while bytes flow.
 * The warm-up shows how high the saw is; what counts is whether four times the bytes make it higher.
 */
const WARM_UP: Flood = { total: 1024 * MIB, pauses: 2 };
const MOST_GROWTH = 64 * MIB;
/** The dead buffers, and the heap and compiled code of a process that has done nothing before. */
const MOST_SINCE_IDLE = 160 * MIB;
/** What two sockets of this machine may hold in its kernel, sent and received. */
const KERNEL_BYTES = 2 * (largestBuffer('tcp_rmem') + largestBuffer('tcp_wmem'));
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
    const idleBytes = residentBytes(gateway.pid);
    origin.flood = WARM_UP;
    const warm = await peakOf(gateway.pid, () => within(flood(), `the warm-up of ${name}`, PATIENCE_MS));
    origin.flood = HUGE;
    const began = performance.now();
    const huge = await peakOf(gateway.pid, () => within(flood(), name, PATIENCE_MS));
    report(name, (performance.now() - began) / 1000, [
      idleBytes,
      warm.peakBytes,
      huge.peakBytes,
      huge.result.mostBetween,
    ]);
    expect(huge.result).toMatchObject({ status: 200, received: HUGE.total, pauses: HUGE.pauses });
    expect(huge.peakBytes - warm.peakBytes).toBeLessThan(MOST_GROWTH);
    expect(huge.peakBytes - idleBytes).toBeLessThan(MOST_SINCE_IDLE);
    // The writer feels the reader's pause: nobody in between takes what the reader does not.
    expect(huge.result.mostBetween).toBeLessThan(KERNEL_BYTES + 8 * MIB);
  },
);

function report(name: string, seconds: number, sizes: readonly number[]): void {
  const [idle, warm, huge, between] = sizes.map((bytes) => Math.round(bytes / MIB));
  console.info(
    `${name}: ${seconds.toFixed(1)} s; resident ${idle} MiB idle, at most ${warm} MiB during 1 GiB and ${huge} MiB during ` +
      `4 GiB; ${between} MiB under way while the reader stopped`,
  );
}

function largestBuffer(name: 'tcp_rmem' | 'tcp_wmem'): number {
  return Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/)[2]);
}
