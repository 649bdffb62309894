import { runCommandLine } from '../../src/cli/command-line.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line as the process would, in this one. */
export async function headgate(
  argv: readonly string[],
  { environment = {}, stdin = '' }: { environment?: Readonly<Record<string, string>>; stdin?: string } = {},
): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommandLine(argv, {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { write: (text) => void out.push(text) },
    stderr: { write: (text) => void err.push(text) },
    environment,
  });
  return { code, out: out.join(''), err: err.join('') };
}

/** The same for a command that asks a running gateway. */
export function askedOf(
  { url, token }: { readonly url: URL; readonly token: string | null },
  line: string,
): Promise<Ran> {
  const environment = { HEADGATE_ADMIN: url.href, ...(token === null ? {} : { HEADGATE_ADMIN_TOKEN: token }) };
  return headgate(line.split(' '), { environment });
}
