const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A binary PROXY header with these bytes for version and command, and for family and protocol. */
export function headerV2(versionAndCommand: number, family: number, rest: Uint8Array = Buffer.alloc(0)): Buffer {
  const fixed = Buffer.from([versionAndCommand, family, rest.length >> 8, rest.length & 255]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

/** A type-length-value vector of such a header. */
export function vector(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** 203.0.113.9:51234 connected to 198.51.100.1:8443. */
export const PROXIED_V1 = Buffer.from('PROXY TCP4 203.0.113.9 198.51.100.1 51234 8443\r\n');
export const PROXIED_V2 = headerV2(0x21, 0x11, Buffer.from('cb007109c6336401c82220fb', 'hex'));
