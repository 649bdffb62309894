import { z } from 'zod';
import { type Diagnostic, diagnosticAt } from './config-error.ts';
import { diagnose } from './diagnose.ts';
import { parseYaml } from './parse-yaml.ts';
import { endpoint } from './schema/pool/endpoint.ts';
import type { EndpointConfig } from './schema/pool/pool.ts';
import { toPlain } from './source-tree.ts';

export type EndpointsFile =
  | { readonly ok: true; readonly endpoints: readonly EndpointConfig[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const endpoints = z.array(endpoint);

/**
 * A file that lists endpoints in the same grammar as a pool does, in YAML or JSON; `${…}` is not expanded. `[]` is a list of none;
 * an empty file is a mistake: so look files that are being written. `file` is how diagnostics call it.
 */
export function parseEndpointsFile(file: string, text: string): EndpointsFile {
  const { root, diagnostics } = parseYaml(file, text, null);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  if (root === null) return { ok: false, diagnostics: [emptyFile(file)] };
  const parsed = endpoints.safeParse(toPlain(root));
  if (parsed.success) return { ok: true, endpoints: parsed.data };
  return { ok: false, diagnostics: diagnose(root, endpoints, parsed.error.issues) };
}

function emptyFile(file: string): Diagnostic {
  const place = { file, line: 1, column: 1, length: 0 };
  return diagnosticAt(place, { message: 'the file is empty', suggestion: 'write [] for no endpoints' });
}
