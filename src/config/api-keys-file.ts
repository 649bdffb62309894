import { stringify } from 'yaml';
import { type Diagnostic, diagnosticAt } from './config-error.ts';
import { diagnose } from './diagnose.ts';
import { parseYaml } from './parse-yaml.ts';
import { type ApiKeyConfig, apiKeys } from './schema/policy/auth-api-key.ts';
import { toPlain } from './source-tree.ts';

export type ApiKeysFile =
  | { readonly ok: true; readonly keys: readonly ApiKeyConfig[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * A file that lists API keys in the same grammar as `auth.apiKey.keys`, in YAML or JSON; `${…}` is not expanded. `[]` is a list of none;
 * an empty file is a mistake: so look files that are being written. `file` is how diagnostics call it.
 */
export function parseApiKeysFile(file: string, text: string): ApiKeysFile {
  const { root, diagnostics } = parseYaml(file, text, null);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  if (root === null) {
    const place = { file, line: 1, column: 1, length: 0 };
    const empty = { message: 'the file is empty', suggestion: 'write [] for no keys' };
    return { ok: false, diagnostics: [diagnosticAt(place, empty)] };
  }
  const parsed = apiKeys.safeParse(toPlain(root));
  if (parsed.success) return { ok: true, keys: parsed.data };
  return { ok: false, diagnostics: diagnose(root, apiKeys, parsed.error.issues) };
}

/** Lines of such a file, as they are written: digests, not keys. */
export function stringifyKeys(keys: readonly { readonly name: string; readonly key: string }[]): string {
  return stringify(keys, { lineWidth: 0 });
}
