import type { UpgradeReport } from '../control/upgrade.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';

/** Many workers, each of which takes a while to start. */
const PATIENCE_MS = 600_000;

/** `headgate upgrade`: resolves when every worker is replaced, or one could not be. */
export function orderUpgrade(access: AdminAccess, json: boolean, outputs: Outputs): Promise<ExitCode> {
  return answered(() => askAdmin(access, { method: 'POST', path: '/upgrade', body: {}, patienceMs: PATIENCE_MS }), {
    ...outputs,
    json,
    text: (body) => textOf(body as UpgradeReport & { readonly ok: true }),
  });
}

function textOf({ replaced }: { readonly replaced: number }): string {
  return `${replaced} ${replaced === 1 ? 'worker' : 'workers'} replaced\n`;
}
