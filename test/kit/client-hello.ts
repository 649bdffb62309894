/** Builds ClientHellos byte by byte, well-formed unless told otherwise. */
export interface HelloOptions {
  readonly serverName?: string | null;
  readonly alpn?: readonly string[];
  /** In front of the others: type and data. */
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
  /** Whole extension block, length included, in place of the others; empty for none at all. */
  readonly block?: Uint8Array;
  readonly session?: Uint8Array;
  readonly ciphers?: Uint8Array;
  readonly compressions?: Uint8Array;
  /** Behind the extensions, within the message. */
  readonly trailing?: Uint8Array;
}

/** A ClientHello in records of at most `fragment` bytes each. */
export function helloBytes(options: HelloOptions = {}, fragment = 2 ** 14): Buffer {
  return inRecords(helloMessage(options), fragment);
}

export function helloMessage(options: HelloOptions = {}): Buffer {
  const {
    session = new Uint8Array(32),
    ciphers = Uint8Array.of(0x13, 0x01),
    compressions = Uint8Array.of(0),
  } = options;
  const body = Buffer.concat([
    Uint8Array.of(3, 3),
    new Uint8Array(32).fill(7),
    vector8(session),
    vector16(ciphers),
    vector8(compressions),
    options.block ?? vector16(extensionBlock(options)),
    options.trailing ?? new Uint8Array(0),
  ]);
  return Buffer.concat([Uint8Array.of(1, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff), body]);
}

export function inRecords(message: Uint8Array, fragment = 2 ** 14): Buffer {
  const records: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += fragment) {
    records.push(Uint8Array.of(22, 3, 1), vector16(message.subarray(at, at + fragment)));
  }
  return Buffer.concat(records);
}

export function serverNameData(name: string, type = 0): Buffer {
  return vector16(Buffer.concat([Uint8Array.of(type), vector16(Buffer.from(name, 'latin1'))]));
}

export function extension(type: number, data: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(type >> 8, type & 0xff), vector16(data)]);
}

export function vector8(bytes: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

export function vector16(bytes: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function extensionBlock({ serverName = 'shop.example', alpn, extensions = [] }: HelloOptions): Buffer {
  const parts = extensions.map(([type, data]) => extension(type, data));
  if (serverName !== null) parts.push(extension(0, serverNameData(serverName)));
  if (alpn !== undefined) {
    parts.push(extension(16, vector16(Buffer.concat(alpn.map((protocol) => vector8(Buffer.from(protocol)))))));
  }
  return Buffer.concat(parts);
}
