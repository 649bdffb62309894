import type { Socket } from 'node:net';
import { headText } from '../../src/downstream/fastlane/head-text.ts';
import { LaneSink } from '../../src/downstream/fastlane/response.ts';
import { scanHead } from '../../src/downstream/fastlane/scan.ts';
import type { Attempt } from '../../src/exchange/attempt.ts';
import type { HeaderList } from '../../src/http/headers.ts';
import { framing, requestHead } from '../../src/transport/h1/request-head.ts';
import { type ResponseListener, ResponseReader } from '../../src/transport/h1/response-reader.ts';
import { answerTo, engineRig, exchangeFor } from '../engine-rig.ts';
import { answerBytes, freshRequest, headBytes } from './requests.ts';
import { CALLS, type Stage } from './stage.ts';

/** As listeners and transports have it by default. */
const BOUNDS = { bytes: 16 * 1024, count: 100 };

/** Bytes that are read, and texts that are written: all of HTTP/1.1 but the sockets. */
export function wireStages(): Stage[] {
  return [scanning, askingEndpoint(), readingAnswer(), answeringClient(), writingAnswer(), writingHit()];
}

const scanning: Stage = {
  name: 'scan request head',
  run: () => {
    for (let i = 0; i < CALLS; i += 1) {
      const bytes = headBytes(i);
      if (typeof scanHead(bytes, 0, bytes.length, BOUNDS) === 'string') throw new Error('Not canonical');
    }
  },
};

/** Fields as the engine has made them of a client's. */
function askingEndpoint(): Stage {
  const rig = engineRig({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['10.0.0.1:3000'] } },
    routes: [{ name: 'items', pool: 'shop' }],
  });
  let attempts: Attempt[] = [];
  return {
    name: 'serialise request head',
    prepare: () => {
      attempts = Array.from({ length: CALLS }, (_, index) => {
        rig.engine.handle(exchangeFor(freshRequest(index)));
        return rig.attempt as Attempt;
      });
    },
    run: () => {
      for (const attempt of attempts) {
        const head = requestHead(attempt);
        if (head === null || head.length + framing(attempt.method, 0).length < 100) throw new Error('Not sent');
      }
    },
  };
}

/** Counts responses. */
class Heard implements ResponseListener {
  readonly letsGo = false;
  responses = 0;
  fields: HeaderList = [];

  interim(): void {}

  head(_status: number, headers: HeaderList): void {
    this.fields = headers;
  }

  data(): boolean {
    return true;
  }

  whole(): void {
    this.responses += 1;
  }

  broken(fault: string): void {
    throw new Error(fault);
  }
}

function readingAnswer(): Stage {
  const reader = new ResponseReader(BOUNDS.bytes);
  const heard = new Heard();
  return {
    name: 'parse response, 1 KiB',
    run: () => {
      const before = heard.responses;
      const bytes = answerBytes();
      for (let i = 0; i < CALLS; i += 1) {
        reader.expect('GET', heard);
        reader.take(bytes, bytes.length);
      }
      if (heard.responses !== before + CALLS) throw new Error('Not all were read');
    },
  };
}

/** Fields as they were read, each a string of its own. */
function answeringClient(): Stage {
  const reader = new ResponseReader(BOUNDS.bytes);
  const heard = new Heard();
  let answers: HeaderList[] = [];
  return {
    name: 'serialise response head',
    prepare: () => {
      answers = Array.from({ length: CALLS }, () => {
        reader.expect('GET', heard);
        reader.take(answerBytes(), answerBytes().length);
        return heard.fields;
      });
    },
    run: () => {
      for (const headers of answers) {
        const made = headText(200, headers, { bodyless: false, keepAlive: true, length: -1, opening: null });
        if (made === null || made.announced !== 1024) throw new Error('Not sent');
      }
    },
  };
}

/** Takes everything that is written to it, and sends nothing. */
class Nowhere {
  readonly writable = true;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  readonly errored = null;
  characters = 0;

  write(data: string | Uint8Array): boolean {
    this.characters += data.length;
    return true;
  }

  cork(): void {}

  uncork(): void {}

  destroy(): void {
    throw new Error('The response was cut off');
  }
}

/** Of a connection that lasts. */
const owner = { keepsAlive: () => true, responseEnded: () => {}, responseClosed: () => {} };

/** `tick` is what comes at the end of the turn, and finds everything done by then. */
function sinkTo(nowhere: Nowhere): LaneSink {
  return new LaneSink(nowhere as unknown as Socket, owner, false);
}

function writingAnswer(): Stage {
  const { prepare, answers } = answersOf({});
  const body = Buffer.alloc(1024, 'x');
  const nowhere = new Nowhere();
  return {
    name: 'write response, 1 KiB',
    prepare,
    run: () => {
      const before = nowhere.characters;
      for (const { head } of answers()) {
        const sink = sinkTo(nowhere);
        sink.start(head);
        sink.data(body);
        sink.end(null);
        sink.tick();
      }
      if (nowhere.characters < before + CALLS * body.length) throw new Error('Not all was written');
    },
  };
}

function writingHit(): Stage {
  const { prepare, answers } = answersOf({ cache: true });
  const nowhere = new Nowhere();
  return {
    name: 'write cache hit, 1 KiB',
    prepare,
    run: () => {
      const before = nowhere.characters;
      for (const { head, body } of answers()) {
        const sink = sinkTo(nowhere);
        sink.respond(head, body);
        sink.tick();
      }
      if (nowhere.characters < before + CALLS * 1024) throw new Error('Not all was written');
    },
  };
}

/** What an engine answers with on such a route. */
function answersOf(route: { readonly cache?: true }) {
  const rig = engineRig({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['10.0.0.1:3000'] } },
    routes: [{ name: 'items', pool: 'shop', ...route }],
  });
  // Where there is a cache, it has all of them from here on.
  for (let i = 0; i < CALLS; i += 1) rig.engine.handle(exchangeFor(freshRequest(i)));
  let made: ReturnType<typeof answerTo>[] = [];
  return {
    prepare: (): void => {
      made = Array.from({ length: CALLS }, (_, index) => {
        const exchange = exchangeFor(freshRequest(index));
        rig.engine.handle(exchange);
        return answerTo(exchange);
      });
    },
    answers: () => made,
  };
}
