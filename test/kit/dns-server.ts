import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/** One record of an answer. `ttl` in seconds. */
export type DnsRecord =
  | { readonly address: string; readonly ttl: number }
  | {
      readonly target: string;
      readonly port: number;
      readonly priority?: number;
      readonly weight?: number;
      readonly ttl: number;
    }
  | { readonly alias: string; readonly ttl: number };

/**
 * What is answered to questions for a name: records (those of the asked type and the aliases among them are sent), an error, or
 * nothing at all. `truncated`: over UDP only the word that it does not fit, over TCP the records (RFC 1035 §4.2.1).
 */
export type DnsScript =
  | readonly DnsRecord[]
  | 'nxdomain'
  | 'servfail'
  | 'silent'
  | { readonly truncated: readonly DnsRecord[] };

export type DnsType = 'A' | 'AAAA' | 'SRV';

const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const;
const RCODES = { servfail: 2, nxdomain: 3 } as const;

/** Starts a name server on 127.0.0.1, over UDP and TCP, that says what it is told to say. Closed after the test. */
export async function dnsServer(names: Readonly<Record<string, DnsScript>> = {}): Promise<DnsServer> {
  const started = new DnsServer(names);
  await started.listen();
  stopAfterTest(() => started.close());
  return started;
}

export class DnsServer {
  /** Every question, in order: `api.test A`, and `api.test A tcp`. */
  readonly asked: string[] = [];
  readonly #names = new Map<string, DnsScript>();
  #udp: UdpSocket = createSocket('udp4');
  readonly #tcp: Server = createServer((socket) => this.#accept(socket));
  readonly #open = new Set<Socket>();

  constructor(names: Readonly<Record<string, DnsScript>>) {
    for (const [name, script] of Object.entries(names)) this.set(name, script);
  }

  /** `127.0.0.1:5353`, for the configuration. */
  get address(): string {
    return `127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`;
  }

  /** From now on this is answered to questions for `name`, of all types or of one. Names that were not set do not exist. */
  set(name: string, script: DnsScript, type?: DnsType): void {
    this.#names.set(type === undefined ? name : `${name} ${type}`, script);
  }

  /** How often `name` was asked for. */
  count(name: string, type?: DnsType): number {
    return this.asked.filter((question) => {
      const [asked, of] = question.split(' ');
      return asked === name && (type === undefined || of === type);
    }).length;
  }

  /** Resolves when `name` was asked for `count` times in all. */
  async askedFor(name: string, count = 1, type?: DnsType): Promise<void> {
    await until(() => this.count(name, type) >= count, `a name server to be asked for ${name} ${count} times`);
  }

  async listen(): Promise<void> {
    // The same port for both, which only the second one can miss.
    for (let tries = 0; tries < 20; tries += 1) {
      this.#tcp.listen(0, '127.0.0.1');
      await once(this.#tcp, 'listening');
      const { port } = this.#tcp.address() as AddressInfo;
      this.#udp = createSocket('udp4');
      this.#udp.on('message', (message, from) => this.#datagram(message, from));
      this.#udp.bind(port, '127.0.0.1');
      const bound = await Promise.race([
        once(this.#udp, 'listening').then(() => true),
        once(this.#udp, 'error').then(() => false),
      ]);
      if (bound) return;
      this.#tcp.close();
      await once(this.#tcp, 'close');
    }
    throw new Error('Cannot find a port that is free for both UDP and TCP');
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #datagram(message: Buffer, from: RemoteInfo): void {
    const answer = this.#answer(message, 'udp');
    if (answer !== null) this.#udp.send(answer, from.port, from.address);
  }

  /** Over TCP two bytes of length come first (RFC 1035 §4.2.2). */
  #accept(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = this.#answer(received.subarray(2, end), 'tcp');
        received = received.subarray(end);
        if (answer !== null) socket.write(Buffer.concat([uint16(answer.length), answer]));
      }
    });
  }

  #answer(message: Buffer, via: 'udp' | 'tcp'): Buffer | null {
    const { name, type, question } = questionOf(message);
    this.asked.push(`${name} ${type}${via === 'tcp' ? ' tcp' : ''}`);
    const script = this.#names.get(`${name} ${type}`) ?? this.#names.get(name) ?? 'nxdomain';
    if (script === 'silent') return null;
    if (script === 'nxdomain' || script === 'servfail') {
      return Buffer.concat([header(message, { rcode: RCODES[script], answers: 0 }), question]);
    }
    const isCut = 'truncated' in script && via === 'udp';
    if (isCut) return Buffer.concat([header(message, { rcode: 0, answers: 0, truncated: true }), question]);
    const all = 'truncated' in script ? script.truncated : script;
    const records = recordsFor(name, type, all);
    return Buffer.concat([header(message, { rcode: 0, answers: records.length }), question, ...records]);
  }
}

function questionOf(message: Buffer): { readonly name: string; readonly type: string; readonly question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] as number; length > 0; length = message[at] as number) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const code = message.readUInt16BE(at + 1);
  const type = Object.entries(TYPES).find(([, number]) => number === code)?.[0] ?? `TYPE${code}`;
  return { name: labels.join('.').toLowerCase(), type, question: message.subarray(12, at + 5) };
}

/** RFC 1035 §4.1.1: a recursive server's response with one question. */
function header(query: Buffer, rest: { rcode: number; answers: number; truncated?: boolean }): Buffer {
  const flags = 0x8180 | rest.rcode | (rest.truncated === true ? 0x0200 : 0);
  return Buffer.concat([query.subarray(0, 2), uint16(flags), uint16(1), uint16(rest.answers), uint16(0), uint16(0)]);
}

/** The records of a type, and the aliases on the way to them. */
function recordsFor(name: string, type: string, records: readonly DnsRecord[]): Buffer[] {
  let owner = name;
  return records.flatMap((record) => {
    if ('alias' in record) {
      const encoded = encode(owner, TYPES.CNAME, record.ttl, encodeName(record.alias));
      owner = record.alias;
      return [encoded];
    }
    if ('target' in record) {
      const { priority = 0, weight = 0, port, target, ttl } = record;
      const data = Buffer.concat([uint16(priority), uint16(weight), uint16(port), encodeName(target)]);
      return type === 'SRV' ? [encode(owner, TYPES.SRV, ttl, data)] : [];
    }
    const family = isIPv6(record.address) ? 'AAAA' : 'A';
    return type === family ? [encode(owner, TYPES[family], record.ttl, addressBytes(record.address))] : [];
  });
}

function encode(owner: string, type: number, ttl: number, data: Buffer): Buffer {
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(ttl);
  return Buffer.concat([encodeName(owner), uint16(type), uint16(1), seconds, uint16(data.length), data]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.concat(all.map((group) => uint16(Number.parseInt(group, 16))));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
