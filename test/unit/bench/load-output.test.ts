import { describe, expect, test } from 'vitest';
import { readH2load, readWrk } from '../../../bench/load-output.ts';
import { percentile, readPrinted } from '../../../bench/raw-client.ts';

const WRK = `Running 2s test @ http://127.0.0.1:7101/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.23ms    1.02ms  41.79ms   91.82%
    Req/Sec    28.94k     2.60k   32.98k    75.00%
  Latency Distribution
     50%  980.00us
     75%    2.39ms
     90%    2.92ms
     99%    1.02s
  57609 requests in 2.00s, 73.53MB read
Requests/sec:  28794.05
Transfer/sec:     36.75MB
`;

describe('what wrk has printed', () => {
  test('is read with its units', () => {
    expect(readWrk(WRK)).toEqual({
      ...{ requests: 57_609, requestsPerSecond: 28_794.05, p50Ms: 0.98, p99Ms: 1_020, failures: 0 },
    });
  });

  test('counts answers that were no success, and errors of sockets, as failures', () => {
    const output = `${WRK}  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 100\n`;
    expect(readWrk(output).failures).toBe(110);
  });

  test('that says nothing is no request and no latency', () => {
    expect(readWrk('unable to connect')).toEqual({
      ...{ requests: 0, requestsPerSecond: 0, p50Ms: Number.NaN, p99Ms: Number.NaN, failures: 0 },
    });
  });
});

describe('what h2load has printed', () => {
  const output = `finished in 2.00s, 50.00 req/s, 59.21KB/s
requests: 103 total, 104 started, 103 done, 100 succeeded, 3 failed, 1 errored, 2 timeout
status codes: 100 2xx, 0 3xx, 1 4xx, 2 5xx
`;
  const log = Array.from({ length: 100 }, (_, index) => `1795231738000\t200\t${(100 - index) * 1_000}`).join('\n');

  test('is read together with its log, whose times are in no order', () => {
    expect(readH2load(output, `${log}\n`, 2)).toEqual({
      ...{ requests: 100, requestsPerSecond: 50, p50Ms: 51, p99Ms: 100, failures: 9 },
    });
  });
});

describe('a percentile', () => {
  test('is the time that so many lie below', () => {
    const times = Float64Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1)]).toEqual([51, 100, 100]);
    expect(percentile(new Float64Array(0), 0.5)).toBeNaN();
  });
});

test('a time that a load generator has not is none, also when it has printed it', () => {
  const printed = JSON.stringify({ requests: 0, p99Ms: percentile(new Float64Array(0), 0.99) });
  expect(readPrinted(printed)).toEqual({ requests: 0, p99Ms: Number.NaN });
});
