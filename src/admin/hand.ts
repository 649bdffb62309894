import type { FastifyRequest } from 'fastify';
import type { Hand } from '../upstream/events.ts';

/** How `headgate` on the command line names itself; what it says is for the log alone. */
export const CLI_AGENT = 'headgate-cli';

/** Whose hand a request is. */
export function handOf(request: FastifyRequest): Hand {
  const cli = request.headers['user-agent']?.startsWith(`${CLI_AGENT}/`) === true;
  return { via: cli ? 'cli' : 'api', address: clientOf(request) };
}

/** Who asks; `null` on a Unix socket. */
export function clientOf({ raw }: FastifyRequest): string | null {
  return raw.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}
