import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFromObject } from '../../../src/config/load.ts';
import { startGateway } from '../../../src/gateway.ts';
import { GENERAL } from '../../kit/general.ts';
import { expectedFailures } from './expected.ts';
import { SuiteOrigin } from './origin.ts';
import type { Pace } from './pace.ts';
import { type CaseResult, runCases } from './run.ts';
import { suiteCases } from './suite.ts';

/** Runs the public suite against a gateway with `cache: true` and nothing else, in front of the suite's origin. */
export async function runConformance(pace: Pace): Promise<readonly CaseResult[]> {
  const cases = await suiteCases();
  const origin = new SuiteOrigin(pace);
  const certificatesDirectory = await mkdtemp(join(tmpdir(), 'headgate-conformance-'));
  try {
    const endpoint = `http://127.0.0.1:${await origin.listen()}`;
    const loaded = configFromObject({
      listeners: { web: { address: '127.0.0.1', port: 0, fastLane: !GENERAL } },
      admin: { port: 0 },
      pools: { origin: { endpoints: [endpoint] } },
      routes: [{ match: { path: '/**' }, pool: 'origin', cache: true }],
    });
    if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
    const gateway = await startGateway({
      config: loaded.config,
      origins: loaded.origins,
      certificatesDirectory,
      logLevel: 'silent',
      observer: { finished: () => undefined, streamFinished: () => undefined },
      clock: pace.clock,
      ...(GENERAL ? { http1: 'undici' } : {}),
    });
    try {
      return await runCases(cases, { origin, port: Number(new URL(String(gateway.urls.get('web'))).port), pace });
    } finally {
      await gateway.close();
    }
  } finally {
    await origin.close();
    await rm(certificatesDirectory, { recursive: true, force: true });
  }
}

/** How many cases of each kind are met: required, optimal, behaviour. */
export function counts(results: readonly CaseResult[]): readonly { readonly met: number; readonly all: number }[] {
  return (['required', 'optimal', 'check'] as const).map((kind) => {
    const ofKind = results.filter((result) => result.kind === kind);
    return { met: ofKind.filter(({ failure }) => failure === null).length, all: ofKind.length };
  });
}

/** What differs from `expectedFailures`: a failure that is new, and one that is gone, so that the list stays true. */
export function surprises(results: readonly CaseResult[]): readonly string[] {
  const known = new Set(results.map(({ id }) => id));
  return [
    ...results.flatMap(({ id, failure }) => {
      if ((failure !== null) === expectedFailures.has(id)) return [];
      return [failure === null ? `${id} is met, and expected to fail` : `${id} fails: ${failure}`];
    }),
    ...[...expectedFailures.keys()].filter((id) => !known.has(id)).map((id) => `${id} is no case of the suite`),
  ];
}
