import type { Clock } from './clock.ts';
import type { Origins } from './config/origins.ts';
import type { Config } from './config/schema/config.ts';
import type { Faults } from './config/sound-part.ts';
import type { CacheAdmin } from './control/cache-admin.ts';
import type { Control } from './control/control.ts';
import type { Explanation } from './control/explain/explanation.ts';
import type { Question } from './control/explain/question.ts';
import type { Quarantined } from './control/quarantine.ts';
import type { ConfigSource, PlanReport, ReloadAsker, ReloadReport } from './control/reload.ts';
import type { GatewayStatus } from './control/status.ts';
import type { Pressure } from './engine/overload.ts';
import type { ExchangeObserver } from './exchange/observer.ts';
import type { StreamObserver } from './exchange/stream.ts';
import { Composition } from './gateway/composition.ts';
import type { InheritedSocket } from './gateway/inherited-sockets.ts';
import type { WorkerDeeds, WorkerPart } from './gateway/worker-part.ts';
import type { FamilyReading } from './observe/family.ts';
import type { LogLevel } from './observe/log.ts';
import type { Http1Choice } from './transport/http1.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly origins: Origins;
  /** What was found wrong with single routes and pools when it was loaded. Default: nothing. */
  readonly faults?: Faults;
  /** Where a reload loads from; without, every reload is refused. */
  readonly source?: ConfigSource;
  /** Where the local CA and what it mints are kept. */
  readonly certificatesDirectory: string;
  /** Error pages name route, pool and endpoint, and reload themselves. Default false. */
  readonly development?: boolean;
  /** What would be quarantined (docs/quarantine.md) is an error. Default false. */
  readonly strict?: boolean;
  /** Default: that of the configuration. */
  readonly logLevel?: LogLevel;
  /** Hears of every exchange and stream in place of the access log. For tests. */
  readonly observer?: ExchangeObserver & StreamObserver;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** How hard the process is pressed, in place of measuring it. For tests. */
  readonly pressure?: () => Pressure;
  /** What speaks HTTP/1.1 to endpoints. Default `lean`. For tests. */
  readonly http1?: Http1Choice;
  /** Listening sockets that the process was started with. Default none. */
  readonly sockets?: readonly InheritedSocket[];
  /** For one of several processes that serve by one configuration. Default: it is alone. */
  readonly worker?: WorkerPart;
}

export { StartError } from './gateway/start-error.ts';

/** A running gateway. */
export interface Gateway {
  /** What is wrong with the parts of the configuration that are out of service. */
  readonly quarantined: readonly Quarantined[];
  /** Base URL by listener name: `https://localhost:8443`, or `unix:/run/headgate.sock`. */
  readonly urls: ReadonlyMap<string, string>;
  readonly adminUrl: string;
  /** Endpoints by hand: drain, disable, enable, weight. */
  readonly control: Control;
  /** What is stored, by hand: purges, lists, figures. */
  readonly cache: CacheAdmin;
  /** Loads the configuration anew and serves by it, if it is sound; nothing is disturbed that has not changed. Never rejects. */
  reload(by?: ReloadAsker): Promise<ReloadReport>;
  /** What a reload would change now; nothing happens. Never rejects. */
  plan(): Promise<PlanReport>;
  /** The last 50, oldest first. */
  readonly reloads: readonly ReloadReport[];
  status(): GatewayStatus;
  /** What would become of a request now, and why; nothing happens. */
  explain(question: Question): Explanation;
  /** All metrics as plain data, for whoever puts those of several gateways together. */
  metrics(): Promise<readonly FamilyReading[]>;
  /** The least important that the log tells: by hand, or by the configuration, whatever has changed last. */
  readonly logLevel: LogLevel;
  /** Opens log files again after they were rotated. */
  reopenLogs(): void;
  /**
   * Readiness fails at once. After the configuration's `drainDelay` it stops taking new work, lets exchanges finish, and resolves
   * when everything is closed; what is left after `drainTimeout` is cut off.
   */
  drain(): Promise<void>;
  /** Stops at once. */
  close(): Promise<void>;
}

/**
 * Starts a gateway: wires every room, binds every listener, begins the health checks. Rejects with a `ConfigError`, a
 * `StartError` (a port in use, say), with everything closed again.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Composition(options);
  try {
    await gateway.open();
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return gateway;
}

/** The same for one of several processes that serve by one configuration. */
export async function startWorker(options: GatewayOptions & { readonly worker: WorkerPart }): Promise<Worker> {
  return (await startGateway(options)) as Composition;
}

/** A running gateway that is one of several. */
export type Worker = Gateway & WorkerDeeds;
