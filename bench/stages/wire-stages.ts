import { headText } from '../../src/downstream/fastlane/head-text.ts';
import { scanHead } from '../../src/downstream/fastlane/scan.ts';
import type { Attempt } from '../../src/exchange/attempt.ts';
import type { HeaderList } from '../../src/http/headers.ts';
import { framing, requestHead } from '../../src/transport/h1/request-head.ts';
import { type ResponseListener, ResponseReader } from '../../src/transport/h1/response-reader.ts';
import { engineRig, exchangeFor } from '../engine-rig.ts';
import { answerBytes, freshRequest, headBytes } from './requests.ts';
import { CALLS, type Stage } from './stage.ts';

/** As listeners and transports have it by default. */
const BOUNDS = { bytes: 16 * 1024, count: 100 };

/** Bytes that are read, and texts that are written: all of HTTP/1.1 but the sockets. */
export function wireStages(): Stage[] {
  return [scanning, askingEndpoint(), readingAnswer(), answeringClient()];
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
