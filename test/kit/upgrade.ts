/** A WebSocket handshake, as bytes (RFC 6455 §4.1). */
export function handshake(path = '/ws', more = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`
  );
}

/** A text frame of a client, masked with zeros (RFC 6455 §5.2). At most 125 bytes. */
export function clientTextFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text, 'latin1')]);
}

/** A text frame of a server. At most 125 bytes. */
export function serverTextFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text, 'latin1')]);
}
