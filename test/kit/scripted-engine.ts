import { compileOnly } from '../../src/cli/compile-only.ts';
import { CoarseClock } from '../../src/clock.ts';
import { configFromObject } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { Engine } from '../../src/engine/engine.ts';
import { ReplayMemory } from '../../src/engine/kept-chunks.ts';
import { OpenTunnels } from '../../src/engine/open-tunnels.ts';
import type { Snapshot } from '../../src/engine/snapshot.ts';
import type { ExchangeRecord } from '../../src/exchange/outcome.ts';
import type { ManualClock } from './manual-clock.ts';
import type { ScriptedTransport } from './scripted-transport.ts';

/** A configuration that is to be right; a test with another one is wrong. */
export function snapshotOf(config: ConfigInput): Snapshot {
  const loaded = configFromObject(config);
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  return compiled.snapshot;
}

/** The engine without sockets, its time and its transport under the test's hand. */
export function scriptedEngine(
  snapshot: Snapshot,
  parts: {
    readonly transport: ScriptedTransport;
    readonly clock: ManualClock;
    readonly finished: (record: ExchangeRecord) => void;
  },
): Engine {
  const { transport, clock, finished } = parts;
  return new Engine(
    {
      transport,
      clock,
      deadlines: new CoarseClock(clock),
      observer: { finished },
      streams: { open: () => ({ cancel: () => {} }), connections: () => 0, drain: () => Promise.resolve() },
      streamObserver: { streamFinished: () => {} },
      newRequestId: () => '01999999-9999-7999-8999-999999999999',
      replay: new ReplayMemory(0),
      random: () => 0.5,
      overload: null,
      tunnels: new OpenTunnels(clock),
    },
    snapshot,
  );
}
