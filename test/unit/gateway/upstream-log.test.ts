import { expect, test } from 'vitest';
import { logUpstream } from '../../../src/gateway/upstream-log.ts';
import { createLog } from '../../../src/observe/log.ts';

/** The lines of a log, as their readers see them. */
function lines(write: (log: ReturnType<typeof createLog>) => void): unknown[] {
  const written: string[] = [];
  const sink = {
    write: (line: string) => void written.push(line),
    flushSync: () => {},
    flushed: async () => {},
    reopen: () => {},
  };
  write(createLog(sink, 'info'));
  return written.map((line) => JSON.parse(line));
}

test('what was set by hand is one line: what, by what, and from where', () => {
  const [line] = lines((log) =>
    logUpstream(log, {
      ...{ kind: 'hand', pool: 'shop', endpoint: 'http://10.0.0.1:3000', standing: 'draining', weightByHand: null },
      by: { via: 'cli', address: '127.0.0.1' },
    }),
  );
  expect(line).toMatchObject({
    ...{ pool: 'shop', endpoint: 'http://10.0.0.1:3000', standing: 'draining', weightByHand: null },
    ...{ via: 'cli', address: '127.0.0.1', msg: 'Endpoint set by hand' },
  });
});

test('a pool that panics, and one that no longer does, is one line each', () => {
  const event = { kind: 'panic', pool: 'shop', inService: 3 } as const;
  const [begun, ended] = lines((log) => {
    logUpstream(log, { ...event, panicking: true, healthy: 1 });
    logUpstream(log, { ...event, panicking: false, healthy: 2 });
  });
  expect(begun).toMatchObject({ level: 40, pool: 'shop', inService: 3, healthy: 1 });
  expect(ended).toMatchObject({ level: 30, pool: 'shop', healthy: 2, msg: 'Pool no longer panics' });
});
