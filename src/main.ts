import './cli/v8-flags.ts';
import { adminAccess } from './cli/admin-access.ts';
import type { AdminCommand } from './cli/admin-arguments.ts';
import { type Command, parseArguments } from './cli/arguments.ts';
import { setByHand } from './cli/by-hand.ts';
import { askCache } from './cli/cache.ts';
import { cert } from './cli/cert.ts';
import { check } from './cli/check.ts';
import { compileOnly, mistakesIn } from './cli/compile-only.ts';
import { runDemo } from './cli/demo.ts';
import { type ExitCode, exitCodes } from './cli/exit-codes.ts';
import { helpText } from './cli/help.ts';
import { askRoute } from './cli/route.ts';
import { listRoutes } from './cli/routes.ts';
import { start } from './cli/start.ts';
import { showStatus } from './cli/status.ts';
import { streamRows } from './cli/stream-rows.ts';
import { likelyCertificatesDirectory } from './cli/trust/local-ca.ts';
import { thisMachine } from './cli/trust/machine.ts';
import { type TrustOptions, trust } from './cli/trust.ts';
import { untrust } from './cli/untrust.ts';
import { UsageError } from './cli/usage-error.ts';
import { configJsonSchemaText } from './config/json-schema.ts';
import { type Loaded, loadConfig } from './config/load.ts';
import { redacted, redactedYaml } from './config/redacted.ts';
import type { RoutePlan, Snapshot } from './engine/snapshot.ts';
import type { RouteRule } from './routing/route.ts';
import { version } from './version.ts';

const { stdout, stderr } = process;
const machine = thisMachine(process.env);

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await run(parseArguments(argv, process.env));
  } catch (error) {
    if (error instanceof UsageError) {
      stderr.write(error.render());
      return exitCodes.usage;
    }
    // A directory or a file that is not for us: the message of the file system names it.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) throw error;
    stderr.write(`headgate: ${(error as Error).message}\n`);
    return exitCodes.noPermission;
  }
}

async function run(command: Command): Promise<number> {
  switch (command.command) {
    case 'help':
      stdout.write(helpText(command.topic));
      return exitCodes.ok;
    case 'version':
      stdout.write(`${version}\n`);
      return exitCodes.ok;
    case 'schema':
      stdout.write(configJsonSchemaText());
      return exitCodes.ok;
    case 'start':
      return start(command);
    case 'demo':
      await runDemo(command.service, command);
      return exitCodes.ok;
    case 'check':
      return checkConfiguration(command);
    case 'config':
      return withConfiguration(command, ({ config }) => {
        stdout.write(command.json ? `${JSON.stringify(redacted(config))}\n` : redactedYaml(config));
        return exitCodes.ok;
      });
    case 'status':
    case 'drain':
    case 'disable':
    case 'enable':
    case 'weight':
    case 'purge':
    case 'cache':
      return askGateway(command);
    case 'trust':
      return trust(trustOptions(command), { machine, stdout, stderr });
    case 'untrust':
      return untrust(trustOptions(command), { machine, stdout, stderr });
    case 'cert':
      return cert({ ...command, directory: localCaDirectory(command.certs) }, { stdout, stderr });
    case 'routes':
      return withConfiguration(command, ({ config }, { routes }) => {
        stdout.write(listRoutes({ rules: routes, streams: streamRows(config) }, command.json));
        return exitCodes.ok;
      });
    case 'route':
      return withConfiguration(command, (_loaded, { snapshot }) => {
        const { text, found } = askRoute(snapshot, command);
        stdout.write(text);
        return found ? exitCodes.ok : exitCodes.failure;
      });
  }
}

function trustOptions(command: Extract<Command, { command: 'trust' | 'untrust' }>): TrustOptions {
  return { ...command, directory: localCaDirectory(command.certs) };
}

function localCaDirectory(given: string | null): string {
  return given ?? likelyCertificatesDirectory({ environment: process.env, home: machine.home });
}

function askGateway(command: AdminCommand): Promise<ExitCode> {
  const { warning, ...access } = adminAccess(command.place, process.env);
  if (warning !== null) stderr.write(`headgate: ${warning}\n`);
  const outputs = { stdout, stderr };
  switch (command.command) {
    case 'status':
      return showStatus(access, command.json, outputs);
    case 'purge':
    case 'cache':
      return askCache(command, access, outputs);
    default:
      return setByHand(command, access, outputs);
  }
}

interface Selection {
  readonly path: string;
  readonly json: boolean;
}

function checkConfiguration(options: Selection): Promise<ExitCode> {
  return check(options, {
    load: (path) => loadConfig(path, process.env),
    mistakesIn,
    stdout,
    stderr,
  });
}

/** Runs `use` on a configuration that `headgate check` would accept; otherwise says what that says. */
async function withConfiguration(
  options: Selection,
  use: (
    loaded: Loaded,
    compiled: { readonly snapshot: Snapshot; readonly routes: readonly RouteRule<RoutePlan>[] },
  ) => number,
): Promise<number> {
  const loaded = loadConfig(options.path, process.env);
  const compiled = loaded.ok ? compileOnly(loaded) : null;
  if (!loaded.ok || compiled === null || !compiled.ok) return checkConfiguration(options);
  return use(loaded, compiled);
}
