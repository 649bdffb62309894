import type { AdminDesk } from '../admin/desk.ts';
import { isLoopback } from '../admin/guard.ts';
import { AdminServer } from '../admin/server.ts';
import type { Clock } from '../clock.ts';
import type { Origins } from '../config/origins.ts';
import type { AdminConfig } from '../config/schema/admin.ts';
import { TokenFile } from '../control/token-file.ts';
import { Binding, type BindPlace } from '../downstream/binding.ts';
import type { Logger } from '../observe/log.ts';
import { bindError } from './bind-error.ts';
import { urlOf } from './listener-options.ts';

export interface AdminListenerParts {
  readonly config: AdminConfig;
  readonly origins: Origins;
  readonly desk: AdminDesk;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The port or the Unix socket that a gateway is asked and changed by. */
export class AdminListener {
  readonly #parts: AdminListenerParts;
  readonly #server: AdminServer;
  readonly #binding: Binding;

  /** Throws when there is no token in the file that the configuration names. */
  constructor(parts: AdminListenerParts) {
    const { config, desk, clock, log } = parts;
    this.#parts = parts;
    const { metrics, requestsPerSecond } = config;
    this.#server = new AdminServer({
      ...{ metrics, requestsPerSecond, desk, clock },
      local: config.socket !== undefined || isLoopback(config.address),
      token: tokenOf(parts),
      broke: (bug) => log.error({ err: bug }, 'The admin listener met a bug'),
      wrongToken: (guess) => log.warn(guess, 'A wrong token was brought to the admin listener'),
    });
    this.#binding = new Binding(placeOf(config), {
      accepted: (socket) => this.#server.accept(socket),
      broke: (error) => log.error({ err: error }, 'The admin listener could not accept a connection'),
    });
  }

  /** Resolves with its URL, `unix:` and the path for a Unix socket. Rejects with a `StartError` if it can't be bound. */
  async open(): Promise<string> {
    const place = placeOf(this.#parts.config);
    await this.#server.ready();
    const { port } = await this.#binding.open().catch((error: unknown) => {
      throw bindError(error, { place, path: ['admin'], origins: this.#parts.origins });
    });
    return urlOf(place, 'http', port);
  }

  async close(): Promise<void> {
    this.#binding.close();
    await this.#server.close();
  }
}

/** Nobody else's unless the configuration says so. */
const DEFAULT_MODE = 0o600;

function placeOf({ socket, mode = DEFAULT_MODE, address, port }: AdminConfig): BindPlace {
  return socket === undefined ? { kind: 'tcp', host: address, port } : { kind: 'unix', path: socket, mode };
}

function tokenOf({ config, clock, log }: AdminListenerParts): () => Promise<string | null> {
  const { token = null, tokenFile } = config;
  if (tokenFile === undefined) return async () => token;
  const file = new TokenFile(tokenFile, {
    clock,
    changed: () => log.info({ file: tokenFile }, 'The admin listener has another token'),
    failed: (problem) =>
      log.error({ file: tokenFile, problem }, 'The token of the admin listener can not be read again'),
  });
  return () => file.current();
}
