import { describe, expect, test } from 'vitest';
import { clientGone, type GatewayError } from '../../../src/errors.ts';
import { type BodySink, type BodySource, noBody } from '../../../src/exchange/body.ts';
import { announcedTooLarge, limitBody } from '../../../src/policy/body-limit.ts';

/** A source that is fed by hand. */
class HandFedSource implements BodySource {
  length: number | null = null;
  untouched = true;
  into: BodySink | null = null;
  readonly log: string[] = [];

  pipe(into: BodySink): void {
    this.into = into;
    into.onDrain = () => this.log.push('drained');
  }

  unpipe(): void {
    this.into = null;
    this.log.push('unpiped');
  }

  discard(): void {
    this.log.push('discarded');
  }

  feed(bytes: number): boolean | undefined {
    this.untouched = false;
    return this.into?.data(new Uint8Array(bytes));
  }
}

class RecordingSink implements BodySink {
  onDrain: (() => void) | null = null;
  wantsMore = true;
  readonly log: string[];

  constructor(log: string[] = []) {
    this.log = log;
  }

  data(chunk: Uint8Array): boolean {
    this.log.push(`data ${chunk.byteLength}`);
    return this.wantsMore;
  }

  end(trailers: readonly string[] | null): void {
    this.log.push(`end ${trailers}`);
  }

  fail(cause: GatewayError): void {
    this.log.push(`fail ${cause.status} ${cause.reason}`);
  }
}

function limited(limitBytes: number): {
  source: HandFedSource;
  body: BodySource;
  sink: RecordingSink;
  log: string[];
} {
  const source = new HandFedSource();
  const log: string[] = [];
  const sink = new RecordingSink(log);
  const body = limitBody(source, limitBytes, (cause) => log.push(`exceeded ${cause.reason}`));
  return { source, body, sink, log };
}

describe('a limited body', () => {
  test('of exactly the limit passes', () => {
    const { source, body, sink, log } = limited(10);
    body.pipe(sink);
    source.feed(6);
    source.feed(4);
    source.into?.end(['X-Sum', '1']);
    expect(log).toEqual(['data 6', 'data 4', 'end X-Sum,1']);
  });

  test('is cut off before the chunk that crosses the limit, and the cause is known first', () => {
    const { source, body, sink, log } = limited(10);
    body.pipe(sink);
    source.feed(6);
    expect(source.feed(5)).toBe(false);
    expect(log).toEqual(['data 6', 'exceeded body-too-large', 'fail 413 body-too-large']);
    expect(source.log).toEqual(['unpiped']);
  });

  test('stays failed for whoever asks for it again', () => {
    const { source, body, sink } = limited(1);
    body.pipe(sink);
    source.feed(2);
    const next = new RecordingSink();
    body.pipe(next);
    expect(next.log).toEqual(['fail 413 body-too-large']);
    expect(source.into).toBeNull();
  });

  test('hands back-pressure through', () => {
    const { source, body, sink } = limited(10);
    body.pipe(sink);
    sink.wantsMore = false;
    expect(source.feed(1)).toBe(false);
    sink.onDrain?.();
    expect(source.log).toEqual(['drained']);
  });

  test('may go to another sink while it is untouched', () => {
    const { source, body, sink, log } = limited(10);
    body.pipe(sink);
    body.unpipe();
    expect(body.untouched).toBe(true);
    const next = new RecordingSink();
    body.pipe(next);
    source.feed(10);
    expect(body.untouched).toBe(false);
    expect(log).toEqual([]);
    expect(next.log).toEqual(['data 10']);
  });

  test('passes the failure of its source on', () => {
    const { source, body, sink, log } = limited(10);
    body.pipe(sink);
    source.into?.fail(clientGone());
    expect(log).toEqual(['fail 499 client-gone']);
  });

  test('is discarded where it comes from', () => {
    const { source, body } = limited(10);
    body.discard();
    expect(source.log).toEqual(['discarded']);
  });

  test('of a message without one ends at once', () => {
    const sink = new RecordingSink();
    limitBody(noBody, 0, () => sink.log.push('exceeded')).pipe(sink);
    expect(sink.log).toEqual(['end null']);
  });
});

test.each([
  [null, 10, false],
  [0, 0, false],
  [10, 10, false],
  [11, 10, true],
])('an announced length of %s against a limit of %i is too large: %s', (length, limit, tooLarge) => {
  const source = new HandFedSource();
  source.length = length;
  expect(announcedTooLarge(source, limit)).toBe(tooLarge);
});
