import type { Diagnostic, DiagnosticNote, Place } from './config-error.ts';

export interface RenderOptions {
  /** Text of each file, for the lines around a mistake; a file that is not here is named without its lines. */
  readonly files: ReadonlyMap<string, string>;
  readonly colour: boolean;
  /** Last sentence, behind the count: "The running configuration was not touched." */
  readonly closing?: string;
}

/** Longest part of a source line that is shown. */
const LINE_WIDTH = 120;
const PLAIN = { red: '', blue: '', yellow: '', bold: '', dim: '', reset: '' } as const;
const ANSI = {
  red: '\u001b[31m',
  blue: '\u001b[34m',
  yellow: '\u001b[33m',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  reset: '\u001b[0m',
} as const;
type Paint = Readonly<Record<keyof typeof ANSI, string>>;

/** Whether to colour: only on a terminal, and not when NO_COLOR is set (no-color.org). */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

/** All diagnostics for a person to read, each with its line and a caret, and a closing line. Ends with a line end. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  const paint = options.colour ? ANSI : PLAIN;
  const blocks = diagnostics.map((diagnostic) => renderOne(diagnostic, options.files, paint));
  const count = diagnostics.length === 1 ? '1 error.' : `${diagnostics.length} errors.`;
  const closing = options.closing === undefined ? count : `${count} ${options.closing}`;
  return `${[...blocks, `${paint.bold}${closing}${paint.reset}`].join('\n')}\n`;
}

/** The same for programs: one JSON object, on one line. */
export function renderDiagnosticsJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify({ ok: false, errors: diagnostics })}\n`;
}

function renderOne(diagnostic: Diagnostic, files: RenderOptions['files'], paint: Paint): string {
  const { code, message, notes } = diagnostic;
  const width = String(Math.max(diagnostic.line, ...notes.map(({ line }) => line))).length;
  const title = `${paint.red}${paint.bold}error[${code}]${paint.reset}${paint.bold}: ${visible(message)}${paint.reset}`;
  const main = renderPlace(diagnostic, { files, paint, width });
  return [title, ...main, ...notes.flatMap((note) => renderNote(note, { files, paint, width }))].join('\n');
}

interface Frame {
  readonly files: RenderOptions['files'];
  readonly paint: Paint;
  readonly width: number;
}

function renderPlace(diagnostic: Diagnostic, frame: Frame): string[] {
  const { paint, width } = frame;
  const source = linesOf(frame.files, diagnostic.file);
  const here = source?.[diagnostic.line - 1];
  const where =
    diagnostic.length === 0 ? diagnostic.file : `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`;
  const header = `${' '.repeat(width)}${paint.blue}╭─▸${paint.reset} ${visible(where)}`;
  const suggestion = diagnostic.suggestion === null ? '' : visible(diagnostic.suggestion);
  if (here === undefined || diagnostic.length === 0) {
    return suggestion === '' ? [header] : [header, `${gutter('', frame)} ${suggestion}`];
  }
  const before = source?.[diagnostic.line - 2] ?? '';
  const context = before.trim() === '' ? [] : [`${gutter(diagnostic.line - 1, frame)} ${excerpt(before, 0).text}`];
  return [header, ...context, ...pointAt(diagnostic, here, { frame, mark: '^', text: suggestion, colour: paint.red })];
}

function renderNote(note: DiagnosticNote, frame: Frame): string[] {
  const { paint, width } = frame;
  const header = `${' '.repeat(width)}${paint.blue}├─▸${paint.reset} ${visible(`${note.file}:${note.line}:${note.column}`)}`;
  const here = linesOf(frame.files, note.file)?.[note.line - 1];
  if (here === undefined) return [`${header} ${visible(note.message)}`];
  const length = /^[^\s:,\]}]+/.exec(here.slice(note.column - 1))?.[0].length ?? 1;
  return [header, ...pointAt({ ...note, length }, here, { frame, mark: '-', text: note.message, colour: paint.blue })];
}

interface Pointer {
  readonly frame: Frame;
  readonly mark: '^' | '-';
  readonly text: string;
  readonly colour: string;
}

function pointAt(place: Place, line: string, { frame, mark, text, colour }: Pointer): string[] {
  const { text: shown, from } = excerpt(line, place.column - 1);
  const offset = Math.min(place.column - 1 - from, shown.length);
  const length = Math.max(1, Math.min(place.length, shown.length - offset));
  const caret = `${' '.repeat(offset)}${colour}${mark.repeat(length)}${text === '' ? '' : ` ${text}`}${frame.paint.reset}`;
  return [`${gutter(place.line, frame)} ${shown}`, `${gutter('', frame)} ${caret}`];
}

function gutter(label: number | '', { paint, width }: Frame): string {
  return `${paint.blue}${String(label).padStart(width)} │${paint.reset}`;
}

/** The part of a line that is shown: all of it, or a window around `column`. */
function excerpt(line: string, column: number): { text: string; from: number } {
  const from = line.length <= LINE_WIDTH || column < LINE_WIDTH - 20 ? 0 : column - 40;
  return { text: visible(hidden(line).slice(from, from + LINE_WIDTH)), from };
}

/** What stands behind a key that names a secret, as far as one line can tell; a reference (`${…}`) says nothing. */
const SECRET_VALUE =
  /(?<=(?:(?<!forward)token|secret|passphrase|password|hmac)["']?: +)(?:"(?!\$\{)[^"]*"|'(?!\$\{)[^']*'|[^\s"'$&*{}[\],][^\s,}]*)/gi;

/** What is wrong is told on terminals, and by services in the journal: that is no place for secrets. As long as before. */
function hidden(line: string): string {
  return line.replaceAll(SECRET_VALUE, (value) => '*'.repeat(value.length));
}

/** A line without what a terminal would act on; as long as before, so that carets stay below what they mean. */
function visible(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '�');
}

function linesOf(files: RenderOptions['files'], file: string): string[] | undefined {
  return files
    .get(file)
    ?.replace(/^\uFEFF/, '')
    .split(/\r?\n/);
}
