import type { DecompressConfig } from '../../config/schema/policy/decompress.ts';
import { decompressRequests, withoutCoding } from '../../policy/decompress/decompress.ts';
import type { PolicyKind } from './policy-kind.ts';

export const decompressKind: PolicyKind<DecompressConfig> = {
  merge: 'nearest',
  words: ({ limit, ratio }) => `bodies of requests; up to ${limit} octets, ${ratio} times as many as came`,
  compile: ({ limit, ratio }) => ({
    admit: [decompressRequests({ bytes: limit, ratio })],
    editRequest: withoutCoding,
  }),
};
