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

test('an endpoint that is put aside, and back, and starts slowly, is one line each', () => {
  const at = { pool: 'shop', endpoint: 'http://10.0.0.1:3000' } as const;
  const all = lines((log) => {
    const change = { ejected: true, reason: 'error-ratio', forMs: 60_000, inARow: 2 } as const;
    logUpstream(log, { kind: 'outlier', ...at, change });
    logUpstream(log, { kind: 'outlier', ...at, change: { ejected: false, reason: 'checks-passed', heldMs: 12_000 } });
    logUpstream(log, { kind: 'slow-start', ...at, durationMs: 30_000 });
  });
  expect(all).toMatchObject([
    { level: 40, ...at, reason: 'error-ratio', forMs: 60_000, inARow: 2, msg: 'Endpoint is put aside' },
    { level: 30, ...at, reason: 'checks-passed', heldMs: 12_000, msg: 'Endpoint is back' },
    { level: 30, ...at, durationMs: 30_000, msg: 'Endpoint starts slowly' },
  ]);
});

test('a change of health is one line, with the result that decided it', () => {
  const event = { kind: 'health', endpoint: 'http://10.0.0.1:3000', heldMs: 5_000 } as const;
  const all = lines((log) => {
    const down = { healthy: false, reason: 'unexpected-status', status: 503, elapsedMs: 1 };
    logUpstream(log, { ...event, up: false, outcome: down });
    logUpstream(log, {
      ...event,
      up: true,
      outcome: { healthy: true, reason: 'connected', status: null, elapsedMs: 1 },
    });
  });
  expect(all).toMatchObject([
    { level: 40, reason: 'unexpected-status', status: 503, heldMs: 5_000, msg: 'Endpoint is down' },
    { level: 30, reason: 'connected', heldMs: 5_000, msg: 'Endpoint is up' },
  ]);
  expect(all[1]).not.toHaveProperty('status');
});
