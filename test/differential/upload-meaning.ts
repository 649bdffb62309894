import type { Sight } from './observation.ts';

/**
 * What one connection to an endpoint saw, with requests as what they mean: fields in the order of the alphabet, the names of those that
 * frame and connect in lower case, and of chunks the data only, with `<end>` behind the last. What is no request stays as it is.
 */
export function withUploads(sights: readonly Sight[]): Sight[] {
  const meaning = new Meaning();
  return sights.map((sight) => (sight.kind === 'data' ? { ...sight, text: meaning.of(sight.text) } : sight));
}

const HEAD = /^([A-Z]+ \S+ HTTP\/1\.1)\r\n((?:[^\r\n]+\r\n)+)\r\n/;
const OURS = /^(?:host|connection|content-length|transfer-encoding):/i;

class Meaning {
  #rest = '';
  #chunked = false;
  #left = 0;

  of(bytes: string): string {
    this.#rest += bytes;
    let meaning = '';
    for (;;) {
      const more = this.#left > 0 ? this.#data() : this.#chunked ? this.#chunkLine() : this.#head();
      if (more === null) return meaning;
      meaning += more;
    }
  }

  #head(): string | null {
    const [whole, line = '', fields = ''] = HEAD.exec(this.#rest) ?? [];
    if (whole === undefined) return null;
    this.#rest = this.#rest.slice(whole.length);
    const lines = fields.trimEnd().split('\r\n');
    const alike = lines.map((field) => field.replace(OURS, (name) => name.toLowerCase())).sort();
    this.#chunked = alike.includes('transfer-encoding: chunked');
    this.#left = Number(alike.find((field) => field.startsWith('content-length:'))?.slice(15) ?? 0);
    return `${[line, ...alike].join('\r\n')}\r\n\r\n`;
  }

  #data(): string | null {
    if (this.#rest === '') return null;
    const data = this.#rest.slice(0, this.#left);
    this.#rest = this.#rest.slice(data.length);
    this.#left -= data.length;
    return data;
  }

  #chunkLine(): string | null {
    const [whole, size = ''] = /^(?:\r\n)?([0-9a-f]+)\r\n/.exec(this.#rest) ?? [];
    if (whole === undefined) return null;
    if (Number.parseInt(size, 16) > 0) {
      this.#rest = this.#rest.slice(whole.length);
      this.#left = Number.parseInt(size, 16);
      return '';
    }
    if (!this.#rest.startsWith('\r\n', whole.length)) return null;
    this.#rest = this.#rest.slice(whole.length + 2);
    this.#chunked = false;
    return '<end>';
  }
}
