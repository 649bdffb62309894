import type { CacheEntry } from '../../cache/entry.ts';
import { encodeHead } from '../../cache/entry-codec.ts';
import type { Directory } from './directory.ts';
import { type FileContent, writeEntryFile } from './entry-file.ts';
import { codeOf, type FileSystem } from './file-system.ts';
import { encodeFileHead, type FileLayout } from './format.ts';
import type { WriteJob } from './write-behind.ts';

export type Written =
  | { readonly kind: 'written'; readonly layout: FileLayout }
  /** It is not wanted any more, or its directory was moved aside under it. Nothing is left. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'failed'; readonly code: string };

/** Writes responses into files: under a name of its own first, which then becomes the one that is looked for. Never rejects. */
export class EntryWriter {
  readonly #fs: FileSystem;
  readonly #newId: () => string;
  readonly #unfinished = new Set<string>();

  constructor(fs: FileSystem, newId: () => string) {
    this.#fs = fs;
    this.#newId = newId;
  }

  isWriting(id: string): boolean {
    return this.#unfinished.has(id);
  }

  async write(directory: Directory, job: WriteJob): Promise<Written> {
    const content = contentOf(this.#newId(), job.entry);
    if (content === null) return { kind: 'too-large' };
    this.#unfinished.add(content.id);
    const written = await this.#write(directory, job, content);
    this.#unfinished.delete(content.id);
    return written;
  }

  async #write(directory: Directory, job: WriteJob, content: FileContent): Promise<Written> {
    const { id, fileHead } = content;
    const unfinished = directory.unfinishedPathOf(id);
    try {
      await directory.prepare(id);
      await writeEntryFile(this.#fs, unfinished, content);
      if (!job.cancelled) await this.#fs.rename(unfinished, directory.pathOf(id));
    } catch (error) {
      directory.forget();
      await this.#unlink(unfinished);
      return job.cancelled ? { kind: 'cancelled' } : { kind: 'failed', code: codeOf(error) };
    }
    if (job.cancelled) {
      await this.#unlink(unfinished);
      await this.#unlink(directory.pathOf(id));
      return { kind: 'cancelled' };
    }
    return { kind: 'written', layout: { id, bodyOffset: fileHead.byteLength, bodyBytes: job.entry.body.length ?? 0 } };
  }

  /** The next scan finds what can't be deleted now. */
  async #unlink(path: string): Promise<void> {
    await this.#fs.unlink(path).catch(() => {});
  }
}

function contentOf(id: string, entry: CacheEntry): FileContent | null {
  const { chunks, length } = entry.body;
  const head = encodeHead(entry);
  if (chunks === null || length === null || head === null) return null;
  const fileHead = encodeFileHead(id, head, length);
  return fileHead === null ? null : { id, fileHead, chunks };
}
