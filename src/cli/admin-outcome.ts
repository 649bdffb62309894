import { version } from '../version.ts';
import { type AdminAnswer, Unreachable } from './admin-client.ts';
import type { Output } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Presentation extends Outputs {
  readonly json: boolean;
  /** A 200 as a person reads it, line ends included. */
  readonly text: (body: unknown) => string;
  /** What a refusal means that is not like the others: its text and the exit code; `null` for one that is. */
  readonly refused?: (answer: AdminAnswer) => { readonly code: ExitCode; readonly text: string } | null;
}

/**
 * Asks, shows what comes back, and says with what the process ends: 69 when nobody answers, 77 for want of the token, 1 when the gateway
 * refuses.
 */
export async function answered(ask: () => Promise<AdminAnswer>, shown: Presentation): Promise<ExitCode> {
  const { json, text, stdout, stderr } = shown;
  try {
    const { status, body } = await ask();
    if (status === 200) {
      stdout.write(json ? `${JSON.stringify(body)}\n` : readable(body, text));
      return exitCodes.ok;
    }
    const special = shown.refused?.({ status, body }) ?? null;
    if (special !== null) {
      if (json) stdout.write(`${JSON.stringify(body)}\n`);
      else stderr.write(special.text);
      return special.code;
    }
    const message = messageOf(body) ?? `the gateway answered ${status}`;
    if (json) stdout.write(`${JSON.stringify(body)}\n`);
    else stderr.write(`headgate: ${plain(message)}\n${hintFor(status)}`);
    return status === 401 || status === 403 ? exitCodes.noPermission : exitCodes.failure;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    stderr.write(`headgate: ${error.message}\n  Is it running? --admin URL names another place\n`);
    return exitCodes.unavailable;
  }
}

/** Whatever it is made from: any program that speaks JSON may answer, or another version of this one. */
function readable(body: unknown, text: (body: unknown) => string): string {
  try {
    return text(body);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Unreachable(`What answers there is not the admin listener of Headgate ${version}`);
  }
}

function messageOf(body: unknown): string | null {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : null;
  return typeof message === 'string' ? message : null;
}

function hintFor(status: number): string {
  return status === 401 ? '  The token is in HEADGATE_ADMIN_TOKEN, or in a file: --token-file FILE\n' : '';
}

/** What another program says must not move the cursor. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�');
}
