import type { CompressConfig } from '../../config/schema/policy/compress.ts';
import { codingPlan } from '../../policy/compress/coding.ts';
import { compressTransform } from '../../policy/compress/compress.ts';
import { COMPRESSIBLE, mediaTypeTest } from '../../policy/compress/compressible.ts';
import { Compressions } from '../../policy/compress/compressions.ts';
import type { PolicyKind } from './policy-kind.ts';

export const compressKind: PolicyKind<CompressConfig> = {
  merge: 'nearest',
  words: ({ codings, minSize, types }) =>
    `responses of ${minSize} octets and more: ${codings.join(', ')}${types === undefined ? '' : `; ${types.join(', ')}`}`,
  compile: ({ codings, types, minSize, level, atOnce }, context) => {
    const id = `compress ${context.owner}`;
    const compressions = context.state(id, () => new Compressions(id, atOnce));
    context.whenServed(() => {
      compressions.atOnce = atOnce;
    });
    const transform = compressTransform({
      codings: codings.map((coding) => codingPlan(coding, level[coding])),
      isCompressible: mediaTypeTest(types ?? COMPRESSIBLE),
      minBytes: minSize,
      compressions,
    });
    return { transform };
  },
};
