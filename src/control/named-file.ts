import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Bundles of every authority there is have 300 KB, revocation lists a few MB. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A FIFO that nobody writes to would not even open, and hold up the start, or one of the few threads that files are read on. */
const HOW = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a certificate, key or list that the configuration names. Throws an error whose `code` tells why that can't be: the
 * system's (`ENOENT`), or words for what is no file (a FIFO, a device) or larger than 16 MiB.
 */
export function readNamedFile(path: string): Buffer {
  const descriptor = openSync(path, HOW);
  try {
    vet(fstatSync(descriptor));
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same without holding up what is running. */
export async function readNamedFileLater(path: string): Promise<Buffer> {
  const handle = await open(path, HOW);
  try {
    vet(await handle.stat());
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function vet(stats: Stats): void {
  if (stats.isDirectory()) throw problem('EISDIR');
  if (!stats.isFile()) throw problem('it is no regular file');
  if (stats.size > MAX_BYTES) throw problem(`it is larger than ${MAX_BYTES} bytes`);
}

function problem(code: string): Error {
  return Object.assign(new Error(code), { code });
}
