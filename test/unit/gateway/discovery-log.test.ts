import { expect, test } from 'vitest';
import { logUpstream } from '../../../src/gateway/upstream-log.ts';
import { createLog } from '../../../src/observe/log.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';

function lineOf(event: UpstreamEvent): unknown {
  const written: string[] = [];
  const write = (line: string) => void written.push(line);
  const sink = { write, flushSync: () => {}, flushed: async () => {}, reopen: () => {} };
  logUpstream(createLog(sink, 'info'), event);
  expect(written).toHaveLength(1);
  return JSON.parse(written[0] as string);
}

test('endpoints that have come and gone are one line, however many they are', () => {
  const found = Array.from({ length: 500 }, (_, i) => `http://10.0.1.${i}`);
  expect(lineOf({ kind: 'members', pool: 'shop', found, lost: ['http://10.0.0.1'], count: 501 })).toMatchObject({
    ...{ level: 30, msg: 'Endpoints of a pool have changed', pool: 'shop' },
    ...{ found: found.slice(0, 20), lost: ['http://10.0.0.1'], endpoints: 501 },
  });
});

test('endpoints without room are a warning', () => {
  expect(lineOf({ kind: 'members-dropped', pool: 'shop', dropped: 3, most: 1024 })).toMatchObject({
    ...{ level: 40, pool: 'shop', dropped: 3, most: 1024 },
  });
});

test('a source that fails is a warning with the place of the mistake, and one that works again is news', () => {
  const event = { kind: 'discovery', source: 'file e.yaml' } as const;
  expect(lineOf({ ...event, works: false, reason: 'broken-file', detail: 'e.yaml:3:7: unknown key' })).toMatchObject({
    ...{ level: 40, msg: 'Discovery fails', source: 'file e.yaml' },
    ...{ reason: 'broken-file', detail: 'e.yaml:3:7: unknown key' },
  });
  expect(lineOf({ ...event, works: true, reason: null, detail: null })).toMatchObject({
    level: 30,
    source: 'file e.yaml',
  });
});

test('what is left out is named with the reason', () => {
  const leftOut = [{ what: 'web-1', reason: 'unhealthy' }];
  expect(lineOf({ kind: 'left-out', source: 'docker a=b', leftOut })).toMatchObject({ source: 'docker a=b', leftOut });
});
