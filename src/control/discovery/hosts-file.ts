import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Lists that block advertisements have some hundred thousand names. */
const MOST_BYTES = 16 * 1024 ** 2;

/** Where this system keeps its own names. */
export function hostsFilePath(): string {
  if (process.platform !== 'win32') return '/etc/hosts';
  return join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts');
}

/** Names that this machine knows by itself (hosts(5)). Read again when the file has changed. */
export class HostsFile {
  readonly #path: string;
  #stamp = '';
  #names: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /** The addresses of `name`, of both families; none when the file does not have it, or can't be read. Never rejects. */
  async addresses(name: string): Promise<readonly string[]> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp !== this.#stamp) {
        this.#names = size > MOST_BYTES ? new Map() : parseHosts(await readFile(this.#path, 'utf8'));
        this.#stamp = stamp;
      }
    } catch {
      // ENOENT, EACCES: a machine without such a file has no names of its own.
      this.#names = new Map();
      this.#stamp = '';
    }
    return this.#names.get(name) ?? [];
  }
}

/** Lower-case names → addresses, in the order of the lines. What is no address or has a zone is passed over. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...aliases] = (line.split('#')[0] as string).trim().split(/\s+/);
    if (address === undefined || !/^(?:[\da-fA-F]*:[\da-fA-F:.]*|\d+\.\d+\.\d+\.\d+)$/.test(address)) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const known = names.get(name) ?? [];
      if (!known.includes(address)) known.push(address);
      names.set(name, known);
    }
  }
  return names;
}
