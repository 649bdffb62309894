/** What has to be changed before a start can succeed; the command line has an exit code for each. */
export type Obstacle = 'configuration' | 'address-in-use' | 'already-running' | 'no-permission';

/** Something around the configuration is in the way, like a certificate directory that can't be written to. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly obstacle: Obstacle;

  constructor(message: string, options: { readonly obstacle?: Obstacle; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.obstacle = options.obstacle ?? 'configuration';
  }
}
