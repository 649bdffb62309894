import type { Origins } from '../../config/origins.ts';
import { SECRET, secretsIn } from '../../config/secret-values.ts';
import { nodeAt } from '../../config/source-tree.ts';
import type { KeyPath } from '../complaints.ts';

/** `text`, which the part of the configuration at `path` has a say in, without what came from `${…}` there. */
export type Concealer = (path: KeyPath, text: string) => string;

/** Shorter ones tell nothing, and would be found everywhere. */
const SHORTEST = 3;

/** What was looked up, for as long as its configuration is there: at most seven key paths for each route, and one for each test. */
const known = new WeakMap<Origins, Map<string, readonly Hidden[]>>();

/**
 * Values that were filled in may be secrets, wherever in a rendered text they are: `${TOKEN}` is shown in their place, also of their
 * percent-encoded form.
 */
export function concealer(origins: Origins): Concealer {
  const ofOrigins = known.get(origins) ?? new Map<string, readonly Hidden[]>();
  known.set(origins, ofOrigins);
  return (path, text) => {
    const key = path.join('\0');
    const found = ofOrigins.get(key) ?? hiddenIn(origins, path);
    ofOrigins.set(key, found);
    return found.reduce((shown, { form, written }) => shown.replaceAll(form, () => written), text);
  };
}

/** A text to be found, and what is shown in its place. */
interface Hidden {
  readonly form: string;
  readonly written: string;
}

function hiddenIn(origins: Origins, path: KeyPath): readonly Hidden[] {
  const secrets = [...origins.expansions(path), ...literals(origins, path)];
  return secrets.flatMap(({ value, written }) =>
    value.length < SHORTEST ? [] : [...formsOf(value)].map((form) => ({ form, written })),
  );
}

/** What stands in the files themselves where only a secret would. */
function literals(origins: Origins, path: KeyPath): readonly { readonly value: string; readonly written: string }[] {
  const node = nodeAt(origins.root, path);
  const secrets = node === null ? [] : secretsIn(node, path.map(String));
  return secrets.map((value) => ({ value, written: SECRET }));
}

/** As it is, as octets, and in the two ways in which paths and queries are escaped. */
function formsOf(value: string): ReadonlySet<string> {
  const text = value.toWellFormed();
  const octets = Buffer.from(text, 'utf8').toString('latin1');
  return new Set([value, octets, encodeURIComponent(text), encodeURI(text)]);
}
