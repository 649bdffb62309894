import type { Origins } from '../config/origins.ts';
import type { BindPlace } from '../downstream/binding.ts';
import { type Obstacle, StartError } from './start-error.ts';

/** Who wanted to listen. */
export interface Bound {
  readonly place: BindPlace;
  /** Its section: `['listeners', 'https']`. */
  readonly path: readonly string[];
  readonly origins: Origins;
  /** Which listener of this very gateway has the port, at another address. Default: none that anybody knows of. */
  readonly heldBy?: string | null;
}

/**
 * What the system says of a port, an address or a socket that can't be listened on, in one line with who wanted it and where
 * that is written. An error that is none of the system's is returned as it is.
 */
export function bindError(error: unknown, { place, path, origins, heldBy = null }: Bound): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  const [obstacle, reason] = place.kind === 'unix' ? socketProblem(code) : portProblem(code, place, heldBy);
  const who = path[0] === 'admin' ? 'the admin listener' : `listener “${path[1]}”`;
  const written = ['port', 'address', 'socket']
    .map((key) => origins.whereGiven([...path, key]))
    .find((where) => where !== null);
  const message = `Cannot listen on ${textOf(place)} (${who}${written === undefined ? '' : `, ${written}`}): ${reason}`;
  return new StartError(message, { obstacle, cause: error });
}

type Problem = readonly [Obstacle, string];

function portProblem(code: string, { port }: BindPlace & { kind: 'tcp' }, heldBy: string | null): Problem {
  switch (code) {
    case 'EADDRINUSE':
      if (heldBy !== null) {
        const who = `listener “${heldBy}” has the port at another address as long as this gateway runs`;
        return ['address-in-use', `${who}; restart it, or choose another port`];
      }
      return ['address-in-use', 'the port is in use already; stop what listens there, or choose another'];
    case 'EACCES':
    case 'EPERM':
      return ['no-permission', port < 1024 ? 'ports below 1024 need a privilege' : 'no permission'];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return ['configuration', 'this machine has no such address'];
  }
  return ['configuration', code];
}

function socketProblem(code: string): Problem {
  switch (code) {
    case 'EADDRINUSE':
      return ['address-in-use', 'another process listens there, or the file is no socket'];
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return ['no-permission', 'no permission to make the file'];
    case 'ENOENT':
    case 'ENOTDIR':
      return ['configuration', 'its directory does not exist'];
  }
  return ['configuration', code];
}

function textOf(place: BindPlace): string {
  if (place.kind === 'unix') return place.path;
  if (place.host === null) return `port ${place.port}`;
  return place.host.includes(':') ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}
