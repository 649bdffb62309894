/**
 * Finds the ends of requests in what a gateway sends to an endpoint, strictly: a gateway writes CRLF, one Content-Length or
 * `chunked`, and nothing else. What does not fit is `malformed`, once and for all.
 */
export class RequestReader {
  heads = 0;
  messages = 0;
  malformed = false;
  #rest = '';
  #state: 'head' | 'length' | 'chunk-size' | 'chunk' | 'trailers' = 'head';
  #left = 0;

  /** Adds bytes, and counts what is complete by now. */
  take(text: string): void {
    this.#rest += text;
    while (!this.malformed && this.#advance());
  }

  #advance(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
        return this.#skip(() => this.#ended());
      case 'chunk-size':
        return this.#chunkSize();
      case 'chunk':
        return this.#skip(() => {
          this.#state = 'chunk-size';
        });
      case 'trailers':
        return this.#trailers();
    }
  }

  #head(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const lines = this.#rest.slice(0, end).split('\r\n');
    this.#rest = this.#rest.slice(end + 4);
    this.heads += 1;
    const fields = lines.slice(1).map((line) => line.toLowerCase());
    const lengths = fields.filter((line) => line.startsWith('content-length:'));
    const codings = fields.filter((line) => line.startsWith('transfer-encoding:'));
    if (lengths.length + codings.length > 1 || !/^[A-Z-]+ \S+ HTTP\/1\.1$/.test(lines[0] ?? '')) {
      this.malformed = true;
      return false;
    }
    if (codings.length === 1) this.#state = 'chunk-size';
    else {
      this.#left = Number(lengths[0]?.slice(15) ?? 0);
      this.#state = 'length';
    }
    return true;
  }

  #chunkSize(): boolean {
    const end = this.#rest.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 2);
    const size = Number.parseInt(line, 16);
    if (!/^[0-9a-fA-F]+$/.test(line)) {
      this.malformed = true;
      return false;
    }
    this.#left = size + 2;
    this.#state = size === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #trailers(): boolean {
    if (this.#rest.startsWith('\r\n')) {
      this.#rest = this.#rest.slice(2);
      this.#ended();
      return true;
    }
    const end = this.#rest.indexOf('\r\n');
    if (end === -1) return false;
    this.#rest = this.#rest.slice(end + 2);
    return true;
  }

  #skip(done: () => void): boolean {
    const taken = Math.min(this.#left, this.#rest.length);
    this.#left -= taken;
    this.#rest = this.#rest.slice(taken);
    if (this.#left > 0) return false;
    done();
    return true;
  }

  #ended(): void {
    this.messages += 1;
    this.#state = 'head';
  }
}
