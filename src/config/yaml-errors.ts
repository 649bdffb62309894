import type { YAMLParseError, YAMLWarning } from 'yaml';

interface Described {
  readonly message: string;
  readonly suggestion: string | null;
}

/** The YAML parser's complaints in the words of someone who writes YAML, not of someone who parses it. */
export function describeYamlError(problem: YAMLParseError | YAMLWarning, text: string): Described {
  const [start, end] = problem.pos;
  const token = text.slice(start, end).split('\n', 1)[0] ?? '';
  const isVariable = text.slice(Math.max(0, start - 1), start + 1) === `\${` || text.startsWith(`\${`, start);
  if (isVariable) return said(`“\${…}” needs quotes inside { } and [ ]`, `write "\${VAR}"`);
  switch (problem.code) {
    case 'TAB_AS_INDENT':
      return said('a tab is used as indentation', 'YAML wants spaces');
    case 'MULTIPLE_DOCS':
      return said('a file holds one document', 'remove “---”, or use one file for each');
    case 'BLOCK_AS_IMPLICIT_KEY':
      return said('a map can’t start here', 'quote a value that contains “: ”, or start a new line');
    case 'BAD_SCALAR_START':
      return said(`a value can’t start with “${token.slice(0, 1)}”`, 'put it in quotes');
    case 'MULTILINE_IMPLICIT_KEY':
      return said('this is not a “key: value”', 'a colon needs a space behind it');
    case 'TAG_RESOLVE_FAILED':
      return said(`tag “${token}” is not known`, 'Headgate uses no YAML tags');
    case 'RESOURCE_EXHAUSTION':
      return said('nested more than 64 levels deep', null);
    default:
      return said(plain(problem.message), null);
  }
}

function said(message: string, suggestion: string | null): Described {
  return { message, suggestion };
}

function plain(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replaceAll('"quote', 'double quote');
}
