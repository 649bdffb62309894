import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderDraft, HeaderList } from '../http/headers.ts';

/*
 * Fields by which endpoints are told who it is: nobody but us sends them, on any route, in head or trailers, in any case and with `_`, `.` or any
 * other sign for any `-`, which CGI-like endpoints can't tell apart: all become `_` in their variables (RFC 3875 §4.1.18 leaves the rest open).
 */

/** Names as they are compared: lower case, with `-` for whatever is no letter and no digit. */
export function identityNames(names: Iterable<string>): readonly string[] | null {
  const plain = new Set(Array.from(names, plainName));
  return plain.size === 0 ? null : [...plain];
}

/** Removes every line of such a name. */
export function removeIdentityFields(draft: HeaderDraft, names: readonly string[]): void {
  let kept = 0;
  for (let i = 0; i < draft.length; i += 2) {
    const name = draft[i] as string;
    if (isAmong(name, names)) continue;
    draft[kept] = name;
    draft[kept + 1] = draft[i + 1] as string;
    kept += 2;
  }
  draft.length = kept;
}

/** `source`, whose trailers have no such names. */
export function withoutIdentityTrailers(source: BodySource, names: readonly string[]): BodySource {
  return {
    get length() {
      return source.length;
    },
    get untouched() {
      return source.untouched;
    },
    pipe: (into) => source.pipe(new TrailerFilter(into, names)),
    unpipe: () => source.unpipe(),
    discard: () => source.discard(),
  };
}

class TrailerFilter implements BodySink {
  readonly #into: BodySink;
  readonly #names: readonly string[];

  constructor(into: BodySink, names: readonly string[]) {
    this.#into = into;
    this.#names = names;
  }

  get onDrain(): (() => void) | null {
    return this.#into.onDrain;
  }

  set onDrain(resume: (() => void) | null) {
    this.#into.onDrain = resume;
  }

  data(chunk: Uint8Array): boolean {
    return this.#into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    const kept = trailers === null ? null : trailers.slice();
    if (kept !== null) removeIdentityFields(kept, this.#names);
    this.#into.end(kept === null || kept.length === 0 ? null : kept);
  }

  fail(cause: GatewayError): void {
    this.#into.fail(cause);
  }
}

/** Hot: nearly every name is told by its length. */
function isAmong(name: string, names: readonly string[]): boolean {
  for (const other of names) if (other.length === name.length && plainName(name) === other) return true;
  return false;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}
