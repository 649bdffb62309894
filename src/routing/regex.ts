import { RE2JS } from 're2js';

/** A regular expression of the configuration: linear time whatever a client sends, unlike the engine's own. */
export interface Regex {
  readonly source: string;
  /** Named groups in the order in which they open; a group without a name captures nothing. */
  readonly groups: readonly string[];
  /** True if it matches anywhere in `text`: anchors are the author's. About 1 µs. */
  test(text: string): boolean;
  /** `[name, value, …]` of the first match, `''` for a group that took no part, or `null` without a match. */
  capture(text: string): readonly string[] | null;
}

export type RegexResult =
  | { readonly ok: true; readonly regex: Regex }
  /** `message` says why in the words of RE2, without the position. */
  | { readonly ok: false; readonly message: string };

/** Compiles RE2 syntax: no backreferences, no look-around; `(?<name>…)` and `(?P<name>…)` are named groups. */
export function compileRegex(source: string): RegexResult {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    // Only syntax errors are thrown here, all with the prefix that is cut off.
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, message: message.replace(/^error parsing regexp: /, '') };
  }
  const groups = Object.entries(compiled.namedGroups() as Record<string, number>)
    .sort((a, b) => a[1] - b[1])
    .map(([name]) => name);
  return { ok: true, regex: regexOf(source, groups, compiled) };
}

function regexOf(source: string, groups: readonly string[], compiled: RE2JS): Regex {
  return {
    source,
    groups,
    test: (text) => compiled.test(text),
    capture(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return null;
      const captured: string[] = [];
      for (const name of groups) captured.push(name, matcher.group(name) ?? '');
      return captured;
    },
  };
}
