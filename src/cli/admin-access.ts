import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import type { AdminPlace } from './admin-arguments.ts';
import { type AdminAccess, placeNameOf } from './admin-client.ts';
import type { Environment, Io } from './command.ts';
import { UsageError } from './usage-error.ts';

export interface Found extends AdminAccess {
  /** For standard error, or `null`: the configuration has mistakes, and yet says where to ask. */
  readonly warning: string | null;
}

const DEFAULT_PATH = 'routes';
const DEFAULT_URL = 'http://127.0.0.1:4600';

/**
 * Where to ask, and with which token. The token is that of `--token-file`, of HEADGATE_ADMIN_TOKEN, or of the configuration that
 * names the address; never one that belongs to another place.
 * @throws UsageError
 */
export function adminAccess({ url, path, tokenFile }: AdminPlace, environment: Environment): Found {
  const given = tokenFile === null ? tokenAround(environment) : tokenIn(tokenFile);
  if (url !== null) return { url, token: given, warning: null };
  if (path === null && !existsSync(DEFAULT_PATH)) return { url: new URL(DEFAULT_URL), token: given, warning: null };
  const from = path ?? DEFAULT_PATH;
  const loaded = loadConfig(from, environment);
  const config = loaded.ok ? loaded.config : loaded.sound?.config;
  if (config === undefined || !existsSync(from)) {
    const hint = `“headgate check -c ${from}” says why; or give --admin ${DEFAULT_URL}`;
    throw new UsageError(`Cannot tell from ${from} where the gateway is`, hint);
  }
  const place = urlOf(config.admin);
  // One that is being edited must not keep anybody from draining an endpoint.
  const warning = loaded.ok ? null : `${from} has mistakes (headgate check): asking ${placeNameOf(place)}`;
  return { url: place, token: given ?? tokenOf(config.admin), warning };
}

/** The same for a command, which says on standard error what there is to be warned of. */
export function accessTo(place: AdminPlace, { environment, stderr }: Io): AdminAccess {
  const { warning, ...access } = adminAccess(place, environment);
  if (warning !== null) stderr.write(`headgate: ${warning}\n`);
  return access;
}

/** One that is not for us to read is none: the gateway says whether it is needed. */
function tokenOf({ token, tokenFile }: Config['admin']): string | null {
  if (tokenFile === undefined) return token ?? null;
  try {
    return tokenIn(tokenFile);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** What a header field can carry, and every token is made of. */
const TOKEN = /^[\x21-\x7e]+$/;
const HINT = 'A token is one line of visible ASCII without blanks';

function tokenAround(environment: Environment): string | null {
  const token = environment['HEADGATE_ADMIN_TOKEN'] || null;
  if (token !== null && !TOKEN.test(token)) throw new UsageError('HEADGATE_ADMIN_TOKEN holds no token', HINT);
  return token;
}

function tokenIn(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`Cannot read the token in ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (TOKEN.test(token)) return token;
  throw new UsageError(`There is no token in ${file}`, HINT);
}

/** As it is reached from this machine. */
function urlOf({ address, port, socket }: Config['admin']): URL {
  if (socket !== undefined) return new URL(`unix:${socket.split('/').map(encodeURIComponent).join('/')}`);
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`);
}
