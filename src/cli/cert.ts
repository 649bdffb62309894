import { X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AUTHORITY_NAME, LocalAuthority } from '../control/certificates/local-authority.ts';
import { fileNameOf } from '../control/certificates/local-names.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { writeJson } from './trust/report.ts';

export interface CertOptions {
  /** Host names, `*.name`, IP addresses, in lower case; at least one. */
  readonly names: readonly string[];
  /** Where the local CA is kept. */
  readonly directory: string;
  /** Copy both files there. */
  readonly out: string | null;
  readonly json: boolean;
}

/** `headgate cert`: one certificate of the local CA for all the names, new or stored, and where its files are. */
export async function cert(
  options: CertOptions,
  { stdout, stderr }: { stdout: Output; stderr: Output },
): Promise<ExitCode> {
  const { names, directory, out, json } = options;
  const trouble = (message: string): void => void stderr.write(`headgate: ${message}\n`);
  const authority = new LocalAuthority({ directory, now: Date.now, trouble });
  const stored = await authority.filesFor(names);
  const files = out === null ? stored : copied(stored, { out, name: outNameOf(names) });
  if (files === null) {
    trouble(`Cannot write to ${out}: there is a certificate for ${names[0]} already that is not of a local CA`);
    return exitCodes.failure;
  }
  const { validToDate, fingerprint256 } = new X509Certificate(stored.pair.certificate);
  const facts = {
    names,
    certificate: resolve(files.certificate),
    key: resolve(files.key),
    authority: resolve(authority.certificateFile),
    validUntil: validToDate.toISOString(),
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
  };
  if (json) writeJson(stdout, facts);
  else {
    stdout.write(`certificate  ${facts.certificate}\nkey          ${facts.key}\nauthority    ${facts.authority}\n`);
    stdout.write(`names        ${names.join(', ')}\nvalid until  ${facts.validUntil.slice(0, 10)}\n`);
  }
  return exitCodes.ok;
}

interface Files {
  readonly certificate: string;
  readonly key: string;
}

/** `app.localhost+1` for it and another one: short, since nothing else has to live beside it. */
function outNameOf(names: readonly string[]): string {
  const first = fileNameOf(names.slice(0, 1));
  return names.length > 1 ? `${first}+${names.length - 1}` : first;
}

/** `null` rather than to overwrite a key that nobody could get back. */
function copied(from: Files, { out, name }: { readonly out: string; readonly name: string }): Files | null {
  const to = { certificate: join(out, `${name}.pem`), key: join(out, `${name}-key.pem`) };
  if ((existsSync(to.certificate) || existsSync(to.key)) && !isMinted(to.certificate)) return null;
  mkdirSync(out, { recursive: true });
  if (resolve(from.key) === resolve(to.key)) return to;
  // A file that is there keeps its mode, which may be open to others: the key gets a new one, with that of what is copied.
  rmSync(to.key, { force: true });
  copyFileSync(from.key, to.key);
  copyFileSync(from.certificate, to.certificate);
  return to;
}

function isMinted(file: string): boolean {
  try {
    return new X509Certificate(readFileSync(file, 'utf8')).issuer.includes(AUTHORITY_NAME);
  } catch {
    // Not there, or not PEM.
    return false;
  }
}
