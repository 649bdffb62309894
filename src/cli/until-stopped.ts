import type { ReloadAsker, ReloadReport } from '../control/reload.ts';
import { exitCodes } from './exit-codes.ts';
import type { PidFile } from './pid-file.ts';
import type { ServiceManager } from './systemd.ts';

/** The part of a gateway, or of a fleet of them, that signals act on. */
export interface Stoppable {
  drain(): Promise<void>;
  reload(by: ReloadAsker): Promise<ReloadReport>;
  reopenLogs(): void;
  /** At once, for the very end: what other processes do for this one. */
  abort?(): void;
}

export interface Surroundings {
  readonly pidFile: PidFile | null;
  readonly manager: ServiceManager;
}

/**
 * SIGTERM and SIGINT: the first drains, the second exits at once. SIGHUP reloads, SIGUSR2 opens log files again. Resolves with 0 after a
 * drain, with the PID file gone and the service manager told.
 */
export function untilStopped(gateway: Stoppable, { pidFile, manager }: Surroundings): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      gateway.abort?.();
      pidFile?.remove();
      process.exit(exitCodes.failure);
    }
    stopping = true;
    manager.stopping('Draining');
    gateway.drain().then(resolve, reject);
  };
  const reload = async (): Promise<void> => {
    manager.reloading();
    const { result } = await gateway.reload({ via: 'signal', address: null });
    if (!stopping) manager.ready(result === 'applied' ? 'Serving' : 'Serving by the configuration before: see the log');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => void reload());
  process.on('SIGUSR2', () => gateway.reopenLogs());
  manager.ready('Serving');
  manager.watch();
  return promise
    .finally(async () => {
      pidFile?.remove();
      await manager.close();
    })
    .then(() => exitCodes.ok);
}
