/** Where `${…}` takes its values from. */
export interface ExpansionSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Content of a file as text; throws an Error with a `code` (ENOENT, EACCES …) when it can't be read. */
  readonly readFile: (path: string) => string;
}

export type Expansion =
  /** Nothing to expand; the text is as written (with `$$` made `$`). */
  | { readonly kind: 'literal'; readonly text: string }
  /** `whole`: the text was nothing but one `${VAR}`. The result must never be printed: it may be a secret. */
  | { readonly kind: 'expanded'; readonly text: string; readonly whole: boolean }
  | { readonly kind: 'failed'; readonly message: string; readonly suggestion: string | null };

const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(:-([\s\S]*))?$/;

type Part = { readonly text: string } | { readonly problem: Extract<Expansion, { kind: 'failed' }> };

/**
 * Expands `${VAR}`, `${VAR:-default}` (also when VAR is empty) and `${file:/path}` (one trailing line end removed);
 * `$$` is a `$`. A `$` before anything else stays: `^/v1$` and `$1` need no escape. Not recursive: what comes out
 * of a variable is never expanded again.
 */
export function expand(text: string, sources: ExpansionSources): Expansion {
  if (!text.includes('$')) return { kind: 'literal', text };
  let result = '';
  let expressions = 0;
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) break;
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next !== '{') {
      result += '$';
      at = dollar + (next === '$' ? 2 : 1);
      continue;
    }
    const close = text.indexOf('}', dollar);
    if (close === -1) return failed(`“${text.slice(dollar)}” has no closing brace`, `for a plain “\${” write “$\${”`);
    const part = evaluate(text.slice(dollar + 2, close), sources);
    if ('problem' in part) return part.problem;
    result += part.text;
    expressions += 1;
    at = close + 1;
  }
  result += text.slice(at);
  if (expressions === 0) return { kind: 'literal', text: result };
  return { kind: 'expanded', text: result, whole: /^\$\{(?!file:)[^}]*\}$/.test(text) };
}

function evaluate(expression: string, sources: ExpansionSources): Part {
  if (expression.startsWith('file:')) return readPart(expression.slice(5), sources);
  const parts = VARIABLE.exec(expression);
  const shown = `\${${expression}}`;
  if (parts === null) {
    return problem(`“${shown}” is not an expression`, `write \${VAR}, \${VAR:-default} or \${file:/path}`);
  }
  const name = parts[1] as string;
  const fallback = parts[3];
  if (fallback?.includes(`\${`) === true) {
    return problem(`“${shown}}” has an expression inside its default`, 'a default is plain text');
  }
  const value = sources.environment[name];
  if (value !== undefined && (value !== '' || fallback === undefined)) return { text: value };
  if (fallback !== undefined) return { text: fallback };
  return problem(`environment variable ${name} is not set`, `set it, or give a default: \${${name}:-…}`);
}

function readPart(path: string, sources: ExpansionSources): Part {
  if (path === '') return problem(`“\${file:}” names no file`, `write \${file:/path}`);
  try {
    return { text: sources.readFile(path).replace(/\r?\n$/, '') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return problem(`cannot read ${path}: ${reason(code)}`, null);
  }
}

function reason(code: string): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a directory';
  return code;
}

function failed(message: string, suggestion: string | null): Extract<Expansion, { kind: 'failed' }> {
  return { kind: 'failed', message, suggestion };
}

function problem(message: string, suggestion: string | null): Part {
  return { problem: failed(message, suggestion) };
}
