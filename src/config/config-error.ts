/** A place in a configuration file. Lines and columns count from 1, columns and length in UTF-16 units. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How much of the line is meant; at least 1, unless the file as a whole is meant (0). */
  readonly length: number;
}

/** A second place that belongs to a diagnostic: where the other definition is. */
export interface DiagnosticNote {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/**
 * What kind of mistake it is; docs/errors.md has cause and cure of each.
 * HG0101 unreadable file or broken YAML · HG0102 key or value that is not allowed · HG0103 reference to something that
 * does not exist · HG0104 defined twice · HG0105 `${…}` that can't be expanded · HG0106 route that can't work.
 */
export type DiagnosticCode = 'HG0101' | 'HG0102' | 'HG0103' | 'HG0104' | 'HG0105' | 'HG0106';

/** One mistake in the configuration. Never contains a value that came from `${…}`. */
export interface Diagnostic extends Place {
  readonly code: DiagnosticCode;
  /** One line: what is wrong, with the offending text in “quotes”; no full stop. */
  readonly message: string;
  /** What to write instead, or what exists; stands behind the caret. */
  readonly suggestion: string | null;
  readonly notes: readonly DiagnosticNote[];
}

/** What a diagnostic needs besides its place. `code` is HG0102 unless given. */
export interface Complaint {
  readonly code?: DiagnosticCode;
  readonly message: string;
  readonly suggestion?: string | null;
  readonly notes?: readonly DiagnosticNote[];
}

/** A diagnostic about `place`. */
export function diagnosticAt(place: Place, complaint: Complaint): Diagnostic {
  return {
    code: complaint.code ?? 'HG0102',
    file: place.file,
    line: place.line,
    column: place.column,
    length: place.length,
    message: complaint.message,
    suggestion: complaint.suggestion ?? null,
    notes: complaint.notes ?? [],
  };
}

/** A note about `place`. */
export function noteAt(place: Place, message: string): DiagnosticNote {
  return { file: place.file, line: place.line, column: place.column, message };
}

/** Every mistake of a configuration at once, in source order. The message names the first and counts the rest. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const first = diagnostics[0];
    const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
    const where = first === undefined ? '' : `${first.file}:${first.line}:${first.column}: ${first.message}`;
    super(where === '' ? 'The configuration is invalid' : `${where}${more}`);
    this.diagnostics = diagnostics;
  }
}
