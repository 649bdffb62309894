/** What a test asks for, in the words of every protocol. */
export interface ClientRequest {
  /** Default `GET`. */
  readonly method?: string;
  /** Default `/`. */
  readonly path?: string;
  /** `Host` or `:authority`. Default `shop.test`. */
  readonly authority?: string;
  /** Flat list. HTTP/1.1 sends it in this order and case, HTTP/2 in lower case. */
  readonly headers?: readonly string[];
  /** Sent with its length announced, unless `chunked`. */
  readonly body?: string | Uint8Array;
  /** The body's length is not announced; pieces and end come from `write` and `end` unless `body` is given. */
  readonly chunked?: boolean;
  /** Bytes announced of a body that comes by `write`. */
  readonly length?: number;
  /** Flat list, sent after a chunked body. */
  readonly trailers?: readonly string[];
}

/** Field lines as they came. */
export class Fields {
  /** Flat list in received order and case. */
  readonly list: readonly string[];

  constructor(list: readonly string[]) {
    this.list = list;
  }

  /** First value of a field, by lower-case name. */
  first(lower: string): string | null {
    return this.all(lower)[0] ?? null;
  }

  /** Every value of a field, in order. */
  all(lower: string): readonly string[] {
    return this.list.filter((_, i) => i % 2 === 1 && this.list[i - 1]?.toLowerCase() === lower);
  }
}

/** A response head, interim or final. */
export class ReplyHead {
  readonly status: number;
  readonly fields: Fields;

  constructor(status: number, fields: readonly string[]) {
    this.status = status;
    this.fields = new Fields(fields);
  }

  /** First value of a field, by lower-case name. */
  header(lower: string): string | null {
    return this.fields.first(lower);
  }

  /** Every value of a field, in order. */
  all(lower: string): readonly string[] {
    return this.fields.all(lower);
  }
}

/**
 * How a response ended. `clean`: with all that its framing promises. `truncated`: the connection ended before that.
 * `reset`: by RST, of the connection or of the stream.
 */
export type Ending = 'clean' | 'truncated' | 'reset';

export interface ReplyParts {
  readonly head: ReplyHead;
  readonly body: Buffer;
  readonly trailers: readonly string[];
  readonly informational: readonly ReplyHead[];
  readonly ended: Ending;
}

/** Everything that came back for one request. */
export class Reply extends ReplyHead {
  readonly body: Buffer;
  readonly trailers: Fields;
  readonly informational: readonly ReplyHead[];
  readonly ended: Ending;

  /** A status of 0: nothing came but the end. */
  constructor(parts: ReplyParts) {
    super(parts.head.status, parts.head.fields.list);
    this.body = parts.body;
    this.trailers = new Fields(parts.trailers);
    this.informational = parts.informational;
    this.ended = parts.ended;
  }

  get text(): string {
    return this.body.toString('latin1');
  }
}

/** A request on its way. */
export interface ClientExchange {
  /** The final head; status 0 if the end came first. */
  head(): Promise<ReplyHead>;
  /** Interim response number `index`, from 0. Rejects when the final one came first. */
  interim(index: number): Promise<ReplyHead>;
  /** The next `length` bytes of the body. Rejects when it ends before. */
  read(length: number): Promise<Buffer>;
  /** Everything that was not read yet, up to the end. */
  reply(): Promise<Reply>;
  /** Writes a piece of the body; resolves when it has left this process. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** Ends the body. */
  end(): void;
  /** The client leaves: its socket is destroyed, its stream is cancelled. */
  leave(): void;
}

/** A connection to the gateway. */
export interface ClientConnection {
  begin(request: ClientRequest): ClientExchange;
  send(request: ClientRequest): Promise<Reply>;
  /** Resolves when the gateway has closed the connection, or has said that it takes no more requests (GOAWAY). */
  dismissed(): Promise<void>;
  close(): void;
}
