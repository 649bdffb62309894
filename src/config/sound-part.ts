import type { $ZodIssue } from 'zod/v4/core';
import { type Config, config } from './schema/config.ts';

type Data = Record<string, unknown>;

/** Takes a broken route's place, so that the others keep their numbers. Nothing is wrong with it. */
const STAND_IN: Data = { respond: {} };
/** What goes on with one of these broken says nothing of the rest of the route. */
const NEEDED: ReadonlySet<unknown> = new Set(['match', 'pool', 'redirect', 'respond', undefined]);

/**
 * What is left of a configuration when everything that the schemas refuse is taken out of it: enough to look for further
 * mistakes in, never to run. `null` when nothing can be made of it.
 */
export function soundPart(plain: unknown, issues: readonly $ZodIssue[]): Config | null {
  const rest = structuredClone(plain) as Data;
  for (const issue of issues) takeOut(rest, issue);
  const parsed = config.safeParse(rest);
  return parsed.success ? parsed.data : null;
}

function takeOut(rest: Data, issue: $ZodIssue): void {
  const [section, key, property] = issue.path.map(String);
  if (section === undefined) {
    if (issue.code === 'unrecognized_keys') for (const unknown of issue.keys) delete rest[unknown];
    return;
  }
  const content = rest[section] as Data | undefined;
  if (key === undefined || content === undefined) delete rest[section];
  else if (section !== 'routes') delete content[key];
  else if (property === undefined || NEEDED.has(property)) content[key] = STAND_IN;
  else delete (content[key] as Data)[property];
}
