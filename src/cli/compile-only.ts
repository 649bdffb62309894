import { MemoryStore } from '../cache/memory-store.ts';
import { systemClock } from '../clock.ts';
import type { Loaded } from '../config/load.ts';
import { type CompileResult, compile } from '../control/compile.ts';
import { Ledger } from '../control/ledger.ts';
import { Prober } from '../upstream/health/prober.ts';

/** Compiles as `start` does, into a ledger that nobody uses: nothing is opened, sent or written. */
export function compileOnly({ config, origins }: Loaded): CompileResult {
  const prober = new Prober({
    sender: { probe: () => ({ cancel: () => {} }) },
    clock: systemClock,
    random: Math.random,
    observer: { changed: () => {} },
  });
  const store = new MemoryStore({ maxBytes: config.cache.size, objectBytes: config.cache.objectSize });
  return compile({ config, origins, ledger: new Ledger(prober), store, development: false });
}
