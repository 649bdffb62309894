import type { ReloadReport } from '../control/reload.ts';
import type { Logger } from '../observe/log.ts';

/** One line for each reload, and one for each mistake that refused it. */
export function logReload(log: Logger, { by, result, tookMs, diagnostics, obstacle, changes }: ReloadReport): void {
  const fields = { by: by.via, tookMs: Math.round(tookMs) };
  if (changes !== null) {
    const { listeners, routes, pools, needsRestart } = changes;
    log.info({ ...fields, routes, pools, listeners }, 'Reloaded');
    if (needsRestart.length > 0) log.warn({ sections: needsRestart }, 'Changes of these sections need a restart');
    return;
  }
  log.error({ ...fields, result, obstacle }, 'Not reloaded: the configuration before serves on');
  for (const { file, line, column, message } of diagnostics) {
    log.error({ file, line, column, problem: message }, 'A mistake in the configuration');
  }
}
