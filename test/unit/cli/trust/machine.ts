import type { Ended, Machine, Step } from '../../../../src/cli/trust/machine.ts';
import type { Authority } from '../../../../src/cli/trust/store.ts';

export const AUTHORITY: Authority = {
  file: '/home/me/certs/ca.pem',
  pem: '-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n',
  subject: 'CN=Headgate local CA (box), O=Headgate',
  sha256: '0123456789abcdef'.repeat(4),
  sha1: '0123456789'.repeat(4),
  validUntil: '2036-11-18T00:00:00.000Z',
};

/** A machine that is only described: `files` by path, `answers` by command line; what it ran is in `ran`. */
export interface Described extends Partial<Omit<Machine, 'run' | 'has' | 'list' | 'text'>> {
  readonly programs?: readonly string[];
  readonly files?: Record<string, string>;
  readonly answer?: (line: string) => Partial<Ended> | undefined;
}

export interface FakeMachine extends Machine {
  readonly ran: string[];
  readonly files: Record<string, string>;
}

export function machineWith({ programs = [], files = {}, answer, ...rest }: Described): FakeMachine {
  const ran: string[] = [];
  const here = { ...files };
  return {
    platform: 'linux',
    isRoot: false,
    home: '/home/me',
    sudoUser: null,
    ...rest,
    ran,
    files: here,
    has: (program) => programs.includes(program),
    list: (directory) => [
      ...new Set(
        Object.keys(here).flatMap((file) =>
          file.startsWith(`${directory}/`) ? [file.slice(directory.length + 1).split('/')[0] as string] : [],
        ),
      ),
    ],
    text: (file) => here[file] ?? null,
    run: async (step: Step) => {
      const line = step.join(' ');
      ran.push(line);
      return { code: 0, stdout: '', stderr: '', ...answer?.(line) };
    },
  };
}
