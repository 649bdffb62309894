import type { Server } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { loadBeside } from '../config/beside/load-beside.ts';
import { ConfigError } from '../config/config-error.ts';
import { fingerprintOf } from '../config/fingerprint.ts';
import {
  type ConfigText,
  configFromObject,
  type Files,
  inSourceOrder,
  type LoadResult,
  readConfig,
  type Servable,
  servable,
} from '../config/load.ts';
import { renderDiagnostics, wantsColour } from '../config/render.ts';
import type { Config, ConfigInput } from '../config/schema/config.ts';
import { concealer } from '../control/explain/secrets.ts';
import type { ConfigSource } from '../control/reload.ts';
import type { InheritedSocket } from '../gateway/inherited-sockets.ts';
import { StartError } from '../gateway/start-error.ts';
import { startGateway } from '../gateway.ts';
import { banner } from './banner.ts';
import { mistakesIn } from './compile-only.ts';
import { startDemo, stopDemo } from './demo.ts';
import { DEMO_PORTS, DEMO_SERVICES } from './demo-services.ts';
import { exitCodes } from './exit-codes.ts';
import { PidFile } from './pid-file.ts';
import { type Serving, workerCount } from './serving.ts';
import { activatedSockets, forgetActivation } from './socket-activation.ts';
import { streamRows } from './stream-rows.ts';
import { serviceManager } from './systemd.ts';
import { certificatesDirectory, localCa } from './trust/local-ca.ts';
import { thisMachine } from './trust/machine.ts';
import { isTrusted } from './trust/stores.ts';
import { untilStopped } from './until-stopped.ts';

export interface StartOptions {
  /** Directory or file; `routes` unless given. */
  readonly path: string;
  /** Configuration from the command line (`headgate /api=3000`) in place of files. */
  readonly inline: ConfigInput | null;
  /** Start the three demo services of the starter configuration too. */
  readonly demo: boolean;
  /** Refuse to start rather than quarantine what can't be used. */
  readonly strict: boolean;
}

/** Starts a gateway and stays until it is told to stop. Resolves with the exit code. */
export async function start(options: StartOptions): Promise<number> {
  // Before it is read: what is written meanwhile is news.
  const digest = options.inline === null ? (await fingerprintOf(options.path)).digest : null;
  const { result: loaded, text } = load(options);
  const part = servable(loaded);
  if (part === null) return refuse(mistakesIn(loaded), loaded.files);
  const demos: Server[] = [];
  const pidFile = part.config.pidFile === undefined ? null : new PidFile(part.config.pidFile);
  const sockets = activatedSockets(process.env, process.pid);
  forgetActivation(process.env);
  try {
    pidFile?.refuseLiving();
    if (options.demo) await startDemos(demos);
    const gateway = await serve(part, text, { options, sockets, digest });
    await writePidFile(pidFile, gateway);
    // Before the banner: whoever waits for it may send a signal at once.
    const stopped = untilStopped(gateway, { pidFile, manager: serviceManager(process.env) });
    tellOfQuarantined(gateway, loaded.files);
    process.stderr.write(await describe(gateway, part, options));
    return await stopped;
  } catch (error) {
    return explain(error, loaded.files);
  } finally {
    // Otherwise they would keep the process.
    for (const demo of demos) stopDemo(demo);
  }
}

function sourceOf(path: string, digest: string | null): ConfigSource {
  return { load: () => loadBeside({ path, environment: process.env }), watched: { path, digest } };
}

interface Circumstances {
  readonly options: StartOptions;
  readonly sockets: readonly InheritedSocket[];
  /** Of the files, before they were read. */
  readonly digest: string | null;
}

/** In this process, unless the configuration asks for more of them. Rejects as `startGateway` does. */
async function serve(
  part: Servable,
  text: ConfigText | null,
  { options, sockets, digest }: Circumstances,
): Promise<Serving> {
  const { path, inline, demo, strict } = options;
  const certificatesDirectory = directoryOf(options);
  const common = { certificatesDirectory, development: inline !== null || demo, strict, sockets };
  const workers = workerCount(part.config);
  if (workers > 1 && text !== null) {
    const { startFleet } = await import('../fleet/fleet.ts');
    const read = () => readConfig(path, process.env);
    return startFleet({ ...common, workers, servable: part, text, read, watched: { path, digest } });
  }
  return startGateway({ ...common, ...part, ...(inline === null ? { source: sourceOf(path, digest) } : {}) });
}

/** Only who listens has it. */
async function writePidFile(pidFile: PidFile | null, gateway: Serving): Promise<void> {
  try {
    pidFile?.write();
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

/** `text` is what other processes would load; `null` for a configuration that is not from files. */
function load({ inline, path }: StartOptions): { readonly result: LoadResult; readonly text: ConfigText | null } {
  return inline === null ? readConfig(path, process.env) : { result: configFromObject(inline), text: null };
}

function refuse(diagnostics: ConfigError['diagnostics'], files: Files): number {
  const colour = wantsColour(process.stderr, process.env);
  process.stderr.write(renderDiagnostics(diagnostics, { files, colour, closing: 'Nothing was started.' }));
  return exitCodes.configuration;
}

function tellOfQuarantined({ quarantined }: Serving, files: Files): void {
  if (quarantined.length === 0) return;
  const colour = wantsColour(process.stderr, process.env);
  process.stderr.write(
    renderDiagnostics(inSourceOrder(quarantined, files), {
      files,
      colour,
      closing: 'Everything else serves (docs/quarantine.md).',
    }),
  );
}

const OBSTACLES = {
  configuration: exitCodes.configuration,
  'address-in-use': exitCodes.addressInUse,
  'already-running': exitCodes.addressInUse,
  'no-permission': exitCodes.noPermission,
} as const;

function explain(error: unknown, files: Files): number {
  if (error instanceof ConfigError) return refuse(error.diagnostics, files);
  if (error instanceof StartError) {
    process.stderr.write(`headgate: ${error.message}\n`);
    return OBSTACLES[error.obstacle];
  }
  const { code, port } = error as SystemError;
  if (code === 'EADDRINUSE' && Object.values(DEMO_PORTS).some((demoPort) => demoPort === port)) {
    process.stderr.write(
      `headgate: Port ${port} is in use already: stop what listens there, or start without --demo\n`,
    );
    return exitCodes.addressInUse;
  }
  if (code === undefined) throw error; // a bug, which needs its stack
  process.stderr.write(`headgate: ${(error as Error).message}\n`);
  return code === 'EACCES' ? exitCodes.noPermission : exitCodes.failure;
}

/** What a demo service or opening a file rejects with. */
interface SystemError extends NodeJS.ErrnoException {
  readonly port?: number;
}

/** Adds each to `started` as soon as it listens. */
async function startDemos(started: Server[]): Promise<void> {
  for (const name of DEMO_SERVICES) {
    started.push(await startDemo(name, { address: '127.0.0.1', port: DEMO_PORTS[name] }));
  }
}

function directoryOf({ inline }: StartOptions): string {
  return certificatesDirectory({ environment: process.env, home: homedir(), inline: inline !== null });
}

function describe(gateway: Serving, part: Servable, options: StartOptions): Promise<string> {
  const { config } = part;
  const conceal = concealer(part.origins);
  const quarantined = new Map(
    gateway.quarantined.flatMap(({ kind, name, effect }) => (kind === 'route' ? [[name, effect]] : [])),
  );
  const mints = Object.values(config.listeners).some(
    ({ tls }) =>
      tls !== undefined &&
      (tls.names !== undefined ||
        (tls.certificate === undefined && tls.certificates.length === 0 && tls.acme === undefined)),
  );
  return banner(gateway, {
    elapsedMs: process.uptime() * 1000,
    streams: streamRows(config).map(({ listener, match, pool }) => ({ match: `${listener}: ${match}`, leads: pool })),
    routes: config.routes.flatMap((route, index) => {
      const name = route.name ?? part.origins.where(['routes', index]);
      const effect = quarantined.get(name);
      if (effect === 'left-out') return [];
      // It may end up in a journal.
      const hide = (key: 'match' | 'redirect', text: string): string => conceal(['routes', index, key], text);
      const leads = effect === 'refused' ? '○ quarantined, answers 503' : hide('redirect', leadsTo(route));
      return [{ match: hide('match', matchOf(route.match)), leads }];
    }),
    colour: wantsColour(process.stderr, process.env),
    untrusted: mints ? untrustedAuthority(directoryOf(options)) : null,
  });
}

function leadsTo({ pool, split, redirect }: Config['routes'][number]): string {
  if (split !== undefined) return split.map((branch) => `${branch.pool} ${branch.weight}`).join(', ');
  return pool ?? (redirect === undefined ? 'fixed response' : `redirect ${redirect.to}`);
}

/** Looking whether somebody trusts the local CA may run a program for each browser; the banner waits this long for them. */
const LONGEST_LOOK_MS = 3000;

/** The file of the local CA if nobody here trusts it; `null` also when that could not be found out. */
async function untrustedAuthority(directory: string): Promise<string | null> {
  const { promise: tooLate, resolve } = Promise.withResolvers<true>();
  const timer = setTimeout(() => resolve(true), LONGEST_LOOK_MS);
  try {
    const authority = localCa(directory);
    if (authority === null) return null;
    const trusted = await Promise.race([isTrusted(thisMachine(process.env), authority), tooLate]);
    return trusted ? null : join(directory, 'ca.pem');
  } catch {
    // Its file is gone since the gateway read it: what it says of trust is of no interest any more.
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function matchOf(match: Config['routes'][number]['match']): string {
  const host = match.host?.join(', ') ?? '';
  const path =
    match.path === undefined
      ? ''
      : match.path.kind === 'prefix'
        ? `${match.path.value.replace(/\/$/, '')}/**`
        : match.path.value;
  return `${host}${path}` || '/**';
}
