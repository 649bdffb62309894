/** Something around the configuration is in the way, like a certificate directory that can't be written to. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
