import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { $ZodIssue } from 'zod/v4/core';
import { type Diagnostic, diagnosticAt } from './config-error.ts';
import { diagnose } from './diagnose.ts';
import type { ExpansionSources } from './expand.ts';
import { isRead } from './fingerprint.ts';
import { mergeFiles } from './merge-files.ts';
import { Origins } from './origins.ts';
import { parseYaml } from './parse-yaml.ts';
import { type Fault, partOf } from './part.ts';
import { faultsOfReading } from './reading-faults.ts';
import { checkReferences } from './references.ts';
import { type Config, config } from './schema/config.ts';
import { NO_FAULTS, pathOf, type SoundPart, soundPart } from './sound-part.ts';
import { type MapNode, type Path, type SourceNode, toPlain } from './source-tree.ts';

/** The files that were read: how diagnostics call them → their text. */
export type Files = ReadonlyMap<string, string>;

export type LoadResult = Loaded | Refused;

export interface Loaded {
  readonly ok: true;
  readonly config: Config;
  readonly origins: Origins;
  readonly files: Files;
}

/** Every mistake that the schemas and the names show, in source order. */
export interface Refused {
  readonly ok: false;
  readonly diagnostics: readonly Diagnostic[];
  /** What is left without them; `null` when nothing is. */
  readonly sound: Remainder | null;
  readonly files: Files;
}

/** A configuration without what is wrong in it. */
export interface Remainder extends SoundPart {
  readonly origins: Origins;
  /** Nothing but routes and pools was wrong: it could serve. Otherwise it is good for nothing but to look for further mistakes. */
  readonly whole: boolean;
}

/** A configuration that could serve, and what is wrong with single routes and pools of it. */
export interface Servable extends SoundPart {
  readonly origins: Origins;
}

/** What could serve of what was loaded; `null` when that is nothing. Whether it may is for the compiler to judge. */
export function servable(loaded: LoadResult): Servable | null {
  if (loaded.ok) return { config: loaded.config, origins: loaded.origins, faults: NO_FAULTS };
  return loaded.sound?.whole === true ? loaded.sound : null;
}

const FILE_BYTES = 8 * 1024 ** 2;
/** What `${file:…}` may hold: secrets and certificates, not data. */
const INCLUDED_BYTES = 64 * 1024;

/**
 * Reads the configuration at `path`: one file, or every `*.yaml` and `*.yml` of a directory in the order of their
 * names (dot files, `*.test.yaml` and subdirectories are left out). Nothing but reading happens, and nothing is
 * thrown: whatever is wrong, unreadable files included, is in the diagnostics. `environment` fills `${VAR}`.
 */
export function loadConfig(path: string, environment: Environment): LoadResult {
  return readConfig(path, environment).result;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that a configuration was read from: enough for another process to load exactly the same. Secret: it may hold some. */
export interface ConfigText {
  readonly path: string;
  readonly files: Files;
  /** What `${file:…}` has named and could be read. */
  readonly included: Files;
}

/** As `loadConfig`, with what was read. */
export function readConfig(
  path: string,
  environment: Environment,
): { readonly result: LoadResult; readonly text: ConfigText } {
  const included = new Map<string, string>();
  const { files, diagnostics } = readFiles(path);
  const readFile = (name: string): string => {
    const text = readIncluded(name);
    included.set(name, text);
    return text;
  };
  const result = assemble(path, { files, diagnostics, sources: { environment, readFile } });
  return { result, text: { path, files, included } };
}

/** As `loadConfig` was when `text` was read, whatever the files hold by now. `environment` has to be the same. */
export function loadConfigText({ path, files, included }: ConfigText, environment: Environment): LoadResult {
  const readFile = (name: string): string => {
    const text = included.get(name);
    if (text === undefined) throw Object.assign(new Error(), { code: 'ENOENT' });
    return text;
  };
  return assemble(path, { files, diagnostics: [], sources: { environment, readFile } });
}

/** The files that `loadConfig` reads at `path`, and what is wrong with reading them. Throws nothing. */
export function readFiles(path: string): { readonly files: Files; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const files = new Map<string, string>();
  for (const file of listFiles(path, diagnostics)) {
    const text = readText(file, diagnostics);
    if (text !== null) files.set(file, text);
  }
  return { files, diagnostics };
}

/**
 * A configuration given as plain data, for tests and zero configuration. `${…}` is not expanded. Diagnostics point
 * into the YAML that the data would be, as file `<inline>`.
 */
export function configFromObject(input: unknown): LoadResult {
  const text = stringify(input ?? {}, { lineWidth: 0 });
  return assemble(INLINE, { files: new Map([[INLINE, text]]), diagnostics: [], sources: null });
}

const INLINE = '<inline>';

interface Sources {
  readonly files: Files;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ExpansionSources | null;
}

function assemble(path: string, { files, diagnostics: before, sources }: Sources): LoadResult {
  const read: Diagnostic[] = [...before];
  const roots: SourceNode[] = [];
  let complete = before.length === 0;
  for (const [file, text] of files) {
    const parsed = parseYaml(file, text, sources);
    read.push(...parsed.diagnostics);
    complete &&= !parsed.broken;
    if (parsed.root !== null) roots.push(parsed.root);
  }
  const emptyPlace = { file: [...files.keys()][0] ?? path, line: 1, column: 1, length: 0 };
  const merged = mergeFiles(roots, emptyPlace, Object.keys(config.shape));
  const plain = toPlain(merged.root);
  const parsed = config.safeParse(plain);
  const issues = parsed.success ? [] : parsed.error.issues;
  // What a file that can't be read defines is not missing.
  const references = complete ? checkReferences(merged.root) : [];
  const faults = [...faultsOfReading(merged.root, read), ...merged.faults, ...references];
  const origins = new Origins(merged.root);
  if (parsed.success && faults.length === 0) return { ok: true, config: parsed.data, origins, files };
  const told = diagnoseByPart(merged.root, issues);
  const diagnostics = [...told, ...faults].map(({ diagnostic }) => diagnostic);
  const sound = soundPart(plain, { issues, told, faults });
  const whole = complete && [...told, ...faults].every(({ at }) => at !== null && partOf(at) !== null);
  return {
    ok: false,
    diagnostics: inSourceOrder(diagnostics, files),
    sound: sound === null ? null : { ...sound, origins, whole },
    files,
  };
}

/** Mistakes of one part never explain those of another. */
function diagnoseByPart(root: MapNode, issues: readonly $ZodIssue[]): Fault[] {
  const parts = new Map<string, { readonly at: Path | null; readonly issues: $ZodIssue[] }>();
  for (const issue of issues) {
    const path = pathOf(issue);
    const at = partOf(path) === null ? null : path.slice(0, 2);
    const key = JSON.stringify(at);
    const known = parts.get(key) ?? { at, issues: [] };
    parts.set(key, known);
    known.issues.push(issue);
  }
  return [...parts.values()].flatMap(({ at, issues }) =>
    diagnose(root, config, issues).map((diagnostic) => ({ at, diagnostic })),
  );
}

/** Sorted by file, line and column; what two checks found alike is told once. */
export function inSourceOrder(diagnostics: readonly Diagnostic[], read: Files): Diagnostic[] {
  const files = [...read.keys()];
  const seen = new Set<string>();
  return diagnostics
    .filter(({ file, line, column, message }) => {
      const key = `${file}:${line}:${column}:${message}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
}

function listFiles(path: string, diagnostics: Diagnostic[]): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter(isRead);
    // Links are followed: Kubernetes mounts every file of a ConfigMap as one.
    const files = names.map((name) => join(path, name)).filter((file) => !isDirectory(file));
    if (files.length > 0) return files.sort();
    diagnostics.push(unreadable(path, `${path} holds no *.yaml file`));
  } catch (error) {
    diagnostics.push(unreadable(path, `cannot read ${path}: ${reasonOf(error)}`));
  }
  return [];
}

function isDirectory(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What `${file:…}` stands for. Throws an error whose `code` tells why it can't be. */
export function readIncluded(name: string): string {
  return readBounded(name, INCLUDED_BYTES);
}

/** The text of a configuration file; `null` after a complaint. */
export function readText(file: string, diagnostics: Diagnostic[]): string | null {
  try {
    return readBounded(file, FILE_BYTES);
  } catch (error) {
    diagnostics.push(unreadable(file, `cannot read ${file}: ${reasonOf(error)}`));
    return null;
  }
}

/** The text of a file; throws when it can't be read, is larger than `limitBytes`, or is not UTF-8. */
function readBounded(file: string, limitBytes: number): string {
  const stats = statSync(file);
  if (stats.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  if (stats.size > limitBytes) throw Object.assign(new Error(), { code: `it is larger than ${limitBytes} bytes` });
  const bytes = readFileSync(file); // what has no size (a pipe, /proc) is checked once read
  if (bytes.length > limitBytes) throw Object.assign(new Error(), { code: `it is larger than ${limitBytes} bytes` });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw Object.assign(new Error(), { code: 'it is not UTF-8' }); // TypeError of the decoder
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT') return 'no such file or directory';
  if (code === 'EACCES') return 'permission denied';
  return code === 'EISDIR' ? 'it is a directory' : code;
}

function unreadable(file: string, message: string): Diagnostic {
  return diagnosticAt({ file, line: 1, column: 1, length: 0 }, { code: 'HG0101', message });
}
