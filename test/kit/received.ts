/** A request as it arrived at a scripted origin, byte for byte. */
export class Received {
  /** Request line and fields as sent, without the empty line. */
  readonly head: string;
  /** The same, split at CRLF. */
  readonly lines: readonly string[];
  /** Which connection of the origin brought it, counted from 0. */
  readonly connection: number;
  /** Content so far, chunked coding taken off. */
  body: Buffer = Buffer.alloc(0);
  bodyBytes = 0;
  /** Trailer lines as sent. */
  trailers: readonly string[] = [];
  /** The whole request has been read by a step. */
  complete: boolean = false;

  constructor(head: string, connection: number) {
    this.head = head;
    this.lines = head.split('\r\n');
    this.connection = connection;
  }

  get method(): string {
    return (this.lines[0] ?? '').split(' ')[0] ?? '';
  }

  get target(): string {
    return (this.lines[0] ?? '').split(' ')[1] ?? '';
  }

  get text(): string {
    return this.body.toString('latin1');
  }

  /** First value of a field, by lower-case name. */
  header(lower: string): string | null {
    return this.all(lower)[0] ?? null;
  }

  /** Every value of a field, in order. */
  all(lower: string): readonly string[] {
    return this.lines
      .slice(1)
      .filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === lower)
      .map((line) => line.slice(line.indexOf(':') + 1).trim());
  }
}
