import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { TlsConfig } from '../config/schema/tls.ts';
import { parseNetwork } from '../routing/client-list.ts';
import {
  type CertificateFile,
  type FileResult,
  loadCertificate,
  pathsOf,
  readContent,
} from './certificates/certificate-file.ts';
import { type LocalNames, localNames } from './certificates/local-names.ts';
import { complainOfPlace } from './complain-of-place.ts';
import type { Complaints, KeyPath } from './complaints.ts';

/** Where the certificates of a listener come from. */
export interface CertificatePlan {
  /** In the order of the configuration, broken ones included. */
  readonly files: readonly PlannedFile[];
  readonly unknownNames: 'default' | 'refuse';
  readonly ocspStapling: boolean;
  /** Names that the local CA mints certificates for, each when it is asked for; `null` when it is not needed. */
  readonly minted: LocalNames | null;
}

export interface PlannedFile {
  readonly file: CertificateFile;
  /** As it was when the configuration was compiled. */
  readonly digest: string;
  readonly result: FileResult;
}

/** Checks what the schema can't: networks and certificate files. `null` for a listener without TLS. */
export function compileListener(name: string, whole: Config, complaints: Complaints): CertificatePlan | null {
  const config = whole.listeners[name] as ListenerConfig;
  for (const [index, text] of config.trustedProxies.entries()) {
    const result = text === 'unix:' ? null : parseNetwork(text);
    if (result?.ok === false) complaints.add(['listeners', name, 'trustedProxies', index], { message: result.message });
  }
  complainOfPlace(name, config, complaints);
  const { tls } = config;
  if (tls === undefined) return null;
  const files = configuredFiles(tls, ['listeners', name, 'tls']).map(({ file, path }) => plan(file, path, complaints));
  return {
    files,
    unknownNames: tls.unknownNames,
    ocspStapling: tls.ocspStapling,
    minted:
      (files.length === 0 && tls.acme === undefined) || tls.names !== undefined
        ? localNames(name, tls.names, whole)
        : null,
  };
}

/** A configured certificate and the map that its keys stand in. */
interface Configured {
  readonly file: CertificateFile;
  readonly path: KeyPath;
}

function configuredFiles(tls: TlsConfig, path: KeyPath): readonly Configured[] {
  const shorthand = fileOf({ certificate: tls.certificate, key: tls.key });
  const listed = tls.certificates.map((entry, index) => ({
    file: fileOf(entry),
    path: [...path, 'certificates', index],
  }));
  return [{ file: shorthand, path }, ...listed].flatMap(({ file, path }) => (file === null ? [] : [{ file, path }]));
}

/** `null` for the shorthand that is not used; the schema refuses everything else that is incomplete. */
function fileOf({ certificate, key, pkcs12, passphrase = null }: FileConfig): CertificateFile | null {
  if (pkcs12 !== undefined) return { pkcs12, passphrase };
  return certificate === undefined || key === undefined ? null : { certificate, key, passphrase };
}

interface FileConfig {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly pkcs12?: string | undefined;
  readonly passphrase?: string | null | undefined;
}

function plan(file: CertificateFile, path: KeyPath, complaints: Complaints): PlannedFile {
  const content = readContent(file);
  const result = loadCertificate(file, content);
  if (!result.ok) {
    for (const { about, unreadable, message } of result.problems) {
      const complaint = { message, outside: true, certificate: pathsOf(file)[0] ?? '' };
      complaints.add([...path, about], unreadable ? { code: 'HG0101', ...complaint } : complaint);
    }
  }
  return { file, digest: content.digest, result };
}
