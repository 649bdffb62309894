import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const run = promisify(execFile);
const directory = temporaryDirectory();
const LARGE = 'x'.repeat(1024 * 1024);
const CONNECTIONS = 300;
/** Longer than the 10 s that a head, and the window over which a body's rate is measured, may take. */
const SECONDS = 16;

/** slowhttptest's attacks. Each needs more than one answer's patience from a server that waits for ever. */
const attacks = {
  'slow headers': ['-H', '-i', '2', '-x', '8'],
  'slow bodies': ['-B', '-i', '2', '-s', '65536', '-x', '8'],
  'slow readers': ['-X', '-w', '1', '-y', '64', '-n', '2', '-z', '8', '-k', '3'],
} as const;

let slowhttptest: string;
let service: LocalService;
let gateway: GatewayProcess;

beforeAll(async () => {
  ({ slowhttptest } = requirePrograms('slowhttptest'));
  service = await LocalService.listen((request, response) => {
    request.resume();
    request.on('end', () => response.end(request.url === '/large' ? LARGE : 'fine'));
  });
  gateway = await GatewayProcess.start(
    {
      listeners: { http: { address: '127.0.0.1', port: 0 } },
      pools: { shop: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'shop' }],
    },
    directory,
  );
});

afterAll(async () => {
  await gateway?.stop();
  await service?.close();
});

describe.each(Object.entries(attacks))('slowhttptest with %s', (attack, flags) => {
  test(
    'finds the service available, and leaves no connection behind',
    async () => {
      const path = attack === 'slow readers' ? 'large' : '';
      const { stdout } = await run(slowhttptest, [
        ...flags,
        ...['-c', String(CONNECTIONS), '-r', '150', '-l', String(SECONDS), '-p', '5', '-v', '1'],
        ...['-u', `http://127.0.0.1:${gateway.port('http')}/${path}`],
      ]);
      // It asks by itself, all the while, over a connection of its own; what counts is what it sees at the height of the attack.
      const seen = [...withoutColours(stdout).matchAll(/service available:\s+(YES|NO)/g)].map((found) => found[1]);
      expect(seen.at(-1)).toBe('YES');
      await eventually(async () => {
        const { listeners } = await gateway.status();
        return listeners.every(({ connections }) => connections === 0) ? true : null;
      }, 'no connection to be open');
      expect(await gateway.inFlight()).toBe(0);
      expect(gateway.process.alive).toBe(true);
      expect(gateway.complaints()).toEqual([]);
    },
    (SECONDS + 20) * 1000,
  );
});

function withoutColours(text: string): string {
  return text.replaceAll(/\x1b\[[\d;]*[A-Za-z]/g, '');
}
