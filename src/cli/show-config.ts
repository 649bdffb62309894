import { type EffectiveNode, effective } from '../config/effective.ts';
import { effectiveData, effectiveYaml, originText, valuesOf } from '../config/effective-yaml.ts';
import type { Loaded } from '../config/load.ts';
import { withoutSecrets } from '../config/secret-values.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface ShowConfigOptions {
  readonly json: boolean;
  /** With where each value comes from. */
  readonly origin: boolean;
}

/** `headgate config`: what the files say, all together, with every default; nothing secret, and no value of `${…}`. */
export function showConfig(
  { origins }: Pick<Loaded, 'origins'>,
  { json, origin }: ShowConfigOptions,
  { stdout }: { readonly stdout: Output },
): ExitCode {
  const shown = withoutSecrets(effective(origins.root));
  if (!json) stdout.write(effectiveYaml(shown, { origins: origin }));
  else stdout.write(`${JSON.stringify(origin ? { values: rowsOf(shown) } : effectiveData(shown))}\n`);
  return exitCodes.ok;
}

/** A row for each value; `path` is a JSON pointer (RFC 6901). */
function rowsOf(shown: EffectiveNode): object[] {
  return valuesOf(shown).map(({ path, leaf: { value, origin } }) => {
    const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    const place = origin.kind === 'default' ? null : origin.place;
    const from = origin.kind === 'default' ? [] : origin.from;
    return {
      path: pointer,
      value,
      origin: originText(origin),
      file: place?.file ?? null,
      line: place?.line ?? null,
      from,
    };
  });
}
