/** What has become of an order to replace the workers by the code that is on disk. */
export type UpgradeReport =
  /** `replaced`: so many workers. Those before finish what they have begun. */
  | { readonly ok: true; readonly replaced: number }
  /** `worker-not-ready`: it and those after it are still what they were. */
  | { readonly ok: false; readonly reason: 'one-process' | 'worker-not-ready'; readonly message: string };
