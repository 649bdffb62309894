import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { servable } from '../../src/config/load.ts';
import { spoilOneOfFifty } from '../kit/blast-radius.ts';
import { fiftyRoutes, loadSite, mutation, siteText } from '../kit/fifty-routes.ts';
import { startLoaded, type TestGateway } from '../kit/gateway.ts';
import { Front } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-blast-'));
const file = join(directory, 'headgate.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

/** An endpoint that tells by which name it was asked: each pool has its own. */
async function endpoint(): Promise<string> {
  const server = createServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What comes of every request but those of the route with that number, where it is not from its own pool. */
async function strays(gateway: TestGateway, spoilt: number): Promise<string[]> {
  const connection = await new Front(gateway, 'lane').connect();
  const found: string[] = [];
  for (const [index, { request, pool }] of fiftyRoutes.entries()) {
    if (index === spoilt) continue;
    const reply = await connection.send(request);
    if (reply.text !== `${pool}.test`) found.push(`${pool}: ${reply.status} ${reply.text}`);
  }
  connection.close();
  return found;
}

/** The same whenever the tests are run. */
const mutants = fc.sample(fc.record({ index: fc.nat(fiftyRoutes.length - 1), mutation }), { seed: 6, numRuns: 12 });

// Generous: a busy machine is no reason to fail.
describe('one of fifty routes is spoilt', { timeout: 60_000 }, () => {
  test('and all others are asked for at their own pools, at the start and over a reload', () => {
    const tally = spoilOneOfFifty(40, 6);
    expect(Math.min(tally.unreadable, tally.sound, tally.quarantined, tally.refused)).toBeGreaterThan(0);
  });

  test('and over reload after reload all others answer from their own pools', async () => {
    const address = await endpoint();
    const gateway = await startLoaded(loadSite(file, siteText(address)));
    const results = new Set<string>();
    /** The route that the configuration which serves has spoilt; none at first. */
    let spoilt = -1;
    for (const mutant of mutants) {
      const { result } = await gateway.reloadFrom(loadSite(file, siteText(address, mutant)));
      results.add(result);
      if (result === 'applied') spoilt = mutant.index;
      expect(await strays(gateway, spoilt), JSON.stringify(mutant)).toEqual([]);
    }
    expect([...results].sort()).toEqual(['applied', 'refused']);
  });

  test('and a gateway that starts with it serves all others from their own pools', async () => {
    const address = await endpoint();
    for (const mutant of mutants.slice(0, 6)) {
      const loaded = loadSite(file, siteText(address, mutant));
      // Text that is no YAML any more: nobody can tell where one route ends and the next begins.
      if (servable(loaded) === null) continue;
      const gateway = await startLoaded(loaded, { tolerance: 'start' });
      expect(await strays(gateway, mutant.index), JSON.stringify(mutant)).toEqual([]);
    }
  });
});
