import type { LogLevel } from '../observe/log-level.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';

/** `headgate log-level`: sets how much a gateway logs, or tells it. */
export function setLogLevel(
  level: LogLevel | null,
  { access, json }: { readonly access: AdminAccess; readonly json: boolean },
  outputs: Outputs,
): Promise<ExitCode> {
  const path = '/log-level';
  const asked =
    level === null
      ? ({ method: 'GET', path, body: null } as const)
      : ({ method: 'PUT', path, body: { level } } as const);
  return answered(() => askAdmin(access, asked), {
    ...outputs,
    json,
    text: (body) => `${plain((body as { readonly level: string }).level)}\n`,
  });
}
