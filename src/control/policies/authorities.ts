import { isCertificate } from '../certificates/pem-certificate.ts';
import type { KeyPath } from '../complaints.ts';
import { readNamedFile } from '../named-file.ts';
import type { PolicyContext } from './policy-kind.ts';

/** PEM of the authorities that a policy trusts somebody by; `undefined` after a complaint at `path`. */
export function readAuthorities(file: string, path: KeyPath, context: PolicyContext): string | undefined {
  try {
    const pem = readNamedFile(file).toString();
    if (isCertificate(pem)) return pem;
    context.complain(path, { message: `“${file}” holds no PEM certificate` });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    context.complain(path, { code: 'HG0101', message: `cannot read “${file}”: ${code}` });
  }
  return undefined;
}
