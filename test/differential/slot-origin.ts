import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Activity } from './activity.ts';
import { OK, type OriginReply } from './case.ts';
import { type Sight, Sights } from './observation.ts';
import { RequestReader } from './request-reader.ts';

interface Visit {
  readonly socket: Socket;
  readonly sights: Sights;
  readonly reader: RequestReader;
  /** Answers begun on it. */
  begun: number;
  readonly replies: OriginReply[];
  /** What it still has to do, packet by packet. */
  readonly todo: (string | 'fin' | 'rst')[];
}

/** The endpoint of one slot: answers as the case says and notes everything. */
export class SlotOrigin {
  readonly #server: Server;
  readonly #activity: Activity;
  #visits: Visit[] = [];
  #script: OriginReply[] = [];
  #round = (): number => 0;
  #fill = (text: string): string => text;

  private constructor(activity: Activity) {
    this.#activity = activity;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(activity: Activity): Promise<SlotOrigin> {
    const started = new SlotOrigin(activity);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get sights(): readonly (readonly Sight[])[] {
    return this.#visits.map(({ sights }) => sights.all);
  }

  begin(script: readonly OriginReply[], parts: { round: () => number; fill: (text: string) => string }): void {
    this.#visits = [];
    this.#script = [...script];
    this.#round = parts.round;
    this.#fill = parts.fill;
  }

  /** Sends the next packet where one is due. False: there is none. */
  step(): boolean {
    let moved = false;
    for (const visit of this.#visits) if (this.#next(visit)) moved = true;
    return moved;
  }

  /** Ends what is open: the case is over. */
  reset(): void {
    for (const { socket } of this.#visits) socket.destroy();
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    const visit: Visit = { socket, sights: new Sights(), reader: new RequestReader(), begun: 0, replies: [], todo: [] };
    this.#visits.push(visit);
    const note = (kind: Sight['kind'], text = ''): void => {
      this.#activity.noted();
      visit.sights.note(this.#round(), kind, text);
    };
    note('open');
    socket.on('error', () => note('reset'));
    socket.on('end', () => note('fin'));
    socket.on('close', () => note('closed'));
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      note('data', text);
      visit.reader.take(text);
      this.#answer(visit);
    });
  }

  /** Begins the answers that are due. The first packet of each goes at once, the others a round each. */
  #answer(visit: Visit): void {
    const { reader, replies } = visit;
    for (;;) {
      if (reader.heads <= visit.begun) return;
      const reply = replies[visit.begun] ?? this.#script.shift() ?? OK;
      replies[visit.begun] = reply;
      if (reply.when === 'message' && reader.messages <= visit.begun) return;
      visit.begun += 1;
      const isFirst = visit.todo.length === 0;
      visit.todo.push(...reply.packets);
      if (reply.after !== 'keep') visit.todo.push(reply.after);
      if (isFirst) this.#next(visit);
    }
  }

  #next({ socket, todo }: Visit): boolean {
    const deed = todo.shift();
    if (deed === undefined) return false;
    this.#activity.noted();
    if (socket.destroyed || socket.writableEnded) return true;
    if (deed === 'fin') socket.end();
    else if (deed === 'rst') socket.resetAndDestroy();
    else socket.write(this.#fill(deed), 'latin1');
    return true;
  }
}
