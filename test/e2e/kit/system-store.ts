import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ANCHORS = '/usr/local/share/ca-certificates';
const STORE = '/etc/ssl/certs';
const BUNDLE = join(STORE, 'ca-certificates.crt');
const JAVA_STORE = join(STORE, 'java/cacerts');

/** The authorities that this Debian trusts, as they were when it was made, and what puts them back. */
export class SystemStore {
  readonly #anchors: ReadonlyMap<string, Buffer>;
  readonly #java: Buffer | null;
  readonly #before: string;
  #restored = false;

  constructor() {
    this.#anchors = new Map(anchors().map((file) => [file, readFileSync(file)]));
    this.#java = existsSync(JAVA_STORE) ? readFileSync(JAVA_STORE) : null;
    this.#before = trustedNow();
    // Also when the run is broken off.
    process.once('exit', () => this.restore());
  }

  /** Throws when the machine trusts something else than before all the same. */
  restore(): void {
    if (this.#restored) return;
    this.#restored = true;
    for (const file of anchors()) if (!this.#anchors.has(file)) rmSync(file);
    for (const [file, content] of this.#anchors) writeFileSync(file, content);
    execFileSync('/usr/sbin/update-ca-certificates', ['--fresh'], { stdio: 'ignore' });
    if (this.#java !== null) writeFileSync(JAVA_STORE, this.#java);
    if (trustedNow() !== this.#before) throw new Error(`${STORE} is not what it was before the test`);
  }
}

/** Everything that programs look at: the bundle, and the directory with one link for each authority. */
export function trustedNow(): string {
  return `${readFileSync(BUNDLE, 'utf8')}${readdirSync(STORE).sort().join('\n')}`;
}

/** Java's store has an authority of this name; `false` where there is no Java. */
export function javaTrusts(name: string): boolean {
  return existsSync(JAVA_STORE) && readFileSync(JAVA_STORE, 'latin1').includes(name);
}

function anchors(): string[] {
  if (!existsSync(ANCHORS)) return [];
  return readdirSync(ANCHORS, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(ANCHORS, entry.name)] : [],
  );
}
