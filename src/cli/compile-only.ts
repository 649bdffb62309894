import { systemClock } from '../clock.ts';
import type { Diagnostic } from '../config/config-error.ts';
import { inSourceOrder, type Loaded, type LoadResult } from '../config/load.ts';
import type { Faults } from '../config/sound-part.ts';
import { type CompileResult, compile } from '../control/compile.ts';
import { sharedCache } from '../control/compile-cache.ts';
import { Ledger } from '../control/ledger.ts';
import type { Tolerance } from '../control/tolerance.ts';
import { Prober } from '../upstream/health/prober.ts';
import { Revision } from '../upstream/revision.ts';

/** Compiles as `start` does, into a ledger that nobody uses: nothing is opened, sent or written. */
export function compileOnly(
  { config, origins, faults }: Pick<Loaded, 'config' | 'origins'> & { readonly faults?: Faults },
  { incomplete = false, tolerance = 'reload' }: { readonly incomplete?: boolean; readonly tolerance?: Tolerance } = {},
): CompileResult {
  const upstream = {
    clock: systemClock,
    random: Math.random,
    observer: { event: () => {}, checked: () => {} },
    revision: new Revision(),
  };
  const prober = new Prober({ sender: { probe: () => ({ cancel: () => {} }) }, ...upstream });
  const cache = sharedCache(config.cache);
  const ledger = new Ledger(prober, upstream);
  // Where redirects between listeners lead, as far as that is known before they are bound.
  for (const [name, { port = 0 }] of Object.entries(config.listeners)) if (port > 0) ledger.ports.set(name, port);
  return compile({
    ...{ config, origins, ledger, cache, development: false, incomplete, tolerance },
    ...(faults === undefined ? {} : { faults }),
  });
}

/** Every mistake at once, in source order: those that loading shows, and those that only the compiler sees. */
export function mistakesIn(loaded: LoadResult): readonly Diagnostic[] {
  const part = loaded.ok ? loaded : loaded.sound;
  const before = loaded.ok ? [] : loaded.diagnostics;
  if (part === null) return before;
  const compiled = compileOnly(part, { incomplete: !loaded.ok && !loaded.sound?.whole });
  return inSourceOrder([...before, ...(compiled.ok ? compiled.quarantined : compiled.diagnostics)], loaded.files);
}
