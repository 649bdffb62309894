import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grpcVerdict, healthCheckRequest, servingStatus } from '../../../src/upstream/health/grpc-health.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('a request of the gRPC health protocol', () => {
  test.each([
    ['', '00 00000000'],
    ['shop', '00 00000006 0a 04 73686f70'],
  ])('for %j is framed as %s', (service, bytes) => {
    expect(Buffer.from(healthCheckRequest(service))).toEqual(hex(bytes));
  });

  test('has a length of two bytes from 128 on', () => {
    const bytes = Buffer.from(healthCheckRequest('s'.repeat(300)));
    expect(bytes.subarray(0, 8)).toEqual(hex('00 0000012f 0a ac02'));
    expect(bytes.length).toBe(5 + 3 + 300);
  });
});

describe('an answer of the gRPC health protocol', () => {
  test.each([
    ['without the field', '00 00000000', 0],
    ['SERVING', '00 00000002 0801', 1],
    ['NOT_SERVING', '00 00000002 0802', 2],
    ['SERVICE_UNKNOWN', '00 00000002 0803', 3],
    ['the last of two fields', '00 00000004 0802 0801', 1],
    ['after fields of other types', '00 00000019 1005 1a03616263 210000000000000000 2d00000000 3200 0801', 1],
    ['before an unknown field', '00 00000007 0801 1a03616263', 1],
    ['in a varint of two bytes', '00 00000003 088101', 129],
  ])('%s: %s has status %s', (_, bytes, status) => {
    expect(servingStatus(hex(bytes))).toBe(status);
  });

  test.each([
    ['nothing', ''],
    ['half a frame', '00 0000'],
    ['a frame that is cut short', '00 00000002 08'],
    ['two messages', '00 00000002 0801 00 00000000'],
    ['a compressed message', '01 00000002 0801'],
    ['a field that is cut short', '00 00000001 08'],
    ['a length beyond the end', '00 00000003 1a0561'],
    ['a varint without an end', '00 0000000b 08ffffffffffffffffffff'],
    ['a type that does not exist', '00 00000001 0f'],
  ])('%s is none', (_, bytes) => {
    expect(servingStatus(hex(bytes))).toBeNull();
  });

  test('is read without throwing, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
        const frame = Buffer.alloc(5);
        frame.writeUInt32BE(payload.length, 1);
        const status = servingStatus(Buffer.concat([frame, payload]));
        expect(status === null || status >= 0).toBe(true);
      }),
      { seed: 4 },
    );
  });

  const serving = hex('00 00000002 0801');
  test.each([
    [{ status: 200, grpcStatus: 0, messages: serving }, true, 'serving'],
    [{ status: 200, grpcStatus: 0, messages: hex('00 00000002 0807') }, false, 'serving-unknown'],
    [{ status: 200, grpcStatus: 0, messages: hex('') }, false, 'malformed-message'],
    [{ status: 200, grpcStatus: 12, messages: hex('') }, false, 'grpc-unimplemented'],
    [{ status: 200, grpcStatus: 99, messages: serving }, false, 'grpc-unknown'],
    [{ status: 200, grpcStatus: null, messages: serving }, false, 'no-grpc-status'],
    [{ status: 502, grpcStatus: 0, messages: serving }, false, 'unexpected-status'],
  ] as const)('%j: healthy %s, because of %s', (called, healthy, reason) => {
    expect(grpcVerdict(called)).toEqual({ healthy, reason });
  });
});
