import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/** What is answered to a command: bytes as they are, nothing, or the end of the connection, perhaps behind some bytes. */
export type RespAnswer = string | null | { readonly thenCut: string };

export type RespScript = (command: string, args: readonly string[]) => RespAnswer;

/** A server that speaks RESP2 and answers as a test says, over real sockets. */
export class RespServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Every command that came, with its arguments. */
  readonly commands: (readonly string[])[] = [];
  /** Connections that were ever made. */
  connections = 0;
  script: RespScript;

  private constructor(script: RespScript) {
    this.script = script;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on `port` of 127.0.0.1, or a free one. Closed after the test. */
  static async start(script: RespScript, port = 0): Promise<RespServer> {
    const server = new RespServer(script);
    server.#server.listen(port, '127.0.0.1');
    await once(server.#server, 'listening');
    stopAfterTest(() => server.stop());
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Resolves when `count` commands called `name` have come in all. */
  async came(name: string, count = 1): Promise<void> {
    const of = (): number => this.commands.filter(([command]) => command === name).length;
    await until(() => of() >= count, `${count} commands ${name}`);
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Sends these bytes on every connection. */
  send(bytes: string): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async stop(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    socket.on('error', () => {});
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      for (let parsed = commandIn(text); parsed !== null; parsed = commandIn(text)) {
        text = text.slice(parsed.length);
        this.#answer(socket, parsed.words);
      }
    });
  }

  #answer(socket: Socket, [command = '', ...args]: readonly string[]): void {
    const name = command.toUpperCase();
    this.commands.push([name, ...args]);
    const answer = this.script(name, args);
    if (answer === null) return;
    if (typeof answer === 'string') socket.write(answer);
    else socket.end(answer.thenCut);
  }
}

/** The first command of `text`: an array of bulk strings. `null` while it is not whole. */
function commandIn(text: string): { readonly words: readonly string[]; readonly length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const words: string[] = [];
  let at = head[0].length;
  while (words.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return null;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return null;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, length: at };
}
