/** Hears what happens to certificates, with enumerated reasons in `fields`. Must not throw and must not block. */
export interface CertificateLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
