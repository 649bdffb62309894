import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WorkerLoad } from '../kit/worker-load.ts';
import { MAIN } from './kit/gateway-process.ts';
import { OutputLines } from './kit/output-lines.ts';
import { eventually } from './kit/patience.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const PATIENCE_MS = 60_000;
const directory = temporaryDirectory();

interface Supervisor {
  readonly child: ChildProcess;
  readonly serves: Promise<string>;
  readonly ended: Promise<number | null>;
}

/** As a service manager starts it, which holds the socket and accepts nothing. */
function supervisor(file: string, fd: number): Supervisor {
  const command = `LISTEN_PID=$$ exec "${process.execPath}" "${MAIN}" start -c "${file}"`;
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: directory,
    env: { ...process.env, XDG_DATA_HOME: directory, LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stderr === null) throw new Error('The output of the child is missing');
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  return { child, ended, serves: new OutputLines(child.stderr).line(/Dashboard/, PATIENCE_MS) };
}

test('with an inherited socket a second supervisor takes over while the first drains, and no request fails', async () => {
  const held = new net.BoundSocket({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => held.close());
  const { port } = held.address();
  const file = join(directory, 'handover.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      workers: 2,
      listeners: { web: { address: '127.0.0.1', port } },
      routes: [{ respond: { status: 200, body: 'whole' } }],
      accessLog: { enabled: false },
      admin: { port: 0 },
      drainTimeout: '5s',
    }),
  );
  const first = supervisor(file, held.fd());
  await first.serves;
  const load = new WorkerLoad(port, 16);
  const flows = async (): Promise<void> => {
    const from = load.answered;
    await eventually(() => (load.answered > from + 500 ? true : null), 'the load to flow', PATIENCE_MS);
  };
  await flows();
  first.child.kill('SIGTERM');
  const second = supervisor(file, held.fd());
  await second.serves;
  expect(await first.ended).toBe(0);
  await flows();
  await load.stop();
  expect(load.failed).toEqual([]);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
}, 120_000);
