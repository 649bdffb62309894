/** Exit codes of every command, after BSD sysexits(3) where there is one. */
export const exitCodes = {
  ok: 0,
  /** Something went wrong that none of the others names. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** EX_UNAVAILABLE: the gateway that was asked is not running, or Node is too old. */
  unavailable: 69,
  /** EX_TEMPFAIL: an address is in use, or another gateway has the PID file. */
  addressInUse: 75,
  /** EX_NOPERM: a port or a file is not for us. */
  noPermission: 77,
  /** EX_CONFIG: the configuration is wrong; the diagnostics say where. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
