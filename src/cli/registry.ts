import type { Command } from './command.ts';
import { cache } from './commands/cache.ts';
import { cert } from './commands/cert.ts';
import { check } from './commands/check.ts';
import { complete } from './commands/complete.ts';
import { completion } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { demo } from './commands/demo.ts';
import { disable } from './commands/disable.ts';
import { drain } from './commands/drain.ts';
import { enable } from './commands/enable.ts';
import { fmt } from './commands/fmt.ts';
import { hashPassword } from './commands/hash-password.ts';
import { help } from './commands/help.ts';
import { logLevel } from './commands/log-level.ts';
import { maintenance } from './commands/maintenance.ts';
import { newApiKey } from './commands/new-api-key.ts';
import { plan } from './commands/plan.ts';
import { purge } from './commands/purge.ts';
import { reload } from './commands/reload.ts';
import { route } from './commands/route.ts';
import { routes } from './commands/routes.ts';
import { schema } from './commands/schema.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { tail } from './commands/tail.ts';
import { test } from './commands/test.ts';
import { top } from './commands/top.ts';
import { trust } from './commands/trust.ts';
import { untrust } from './commands/untrust.ts';
import { upgrade } from './commands/upgrade.ts';
import { version } from './commands/version.ts';
import { weight } from './commands/weight.ts';

/** Everything that the program can do, in the order of its help. */
export const COMMANDS: readonly Command[] = [
  start,
  demo,
  check,
  routes,
  route,
  test,
  config,
  fmt,
  schema,
  hashPassword,
  newApiKey,
  status,
  plan,
  tail,
  top,
  reload,
  drain,
  disable,
  enable,
  weight,
  maintenance,
  purge,
  cache,
  logLevel,
  upgrade,
  trust,
  untrust,
  cert,
  completion,
  help,
  version,
  complete,
];
