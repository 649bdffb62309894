import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MAIN } from '../e2e/kit/gateway-process.ts';
import { OutputLines } from '../e2e/kit/output-lines.ts';
import { until } from '../kit/deadline.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-service-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Stands for the program of systemd: a line for each time that it is run. */
function fakeNotify(): string {
  const log = join(directory, 'notified');
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$*" >> ${log}\n`);
  chmodSync(program, 0o755);
  return log;
}

async function listening(path?: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return server;
}

/** Node knows it, and has no name for it. */
function fdOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a service with inherited sockets adopts them by name and by place, tells when it is ready, reloads when told or when its file changes, stops, and has a PID file', async () => {
  const notified = fakeNotify();
  const socketPath = join(directory, 'place.sock');
  const sockets = [await listening(), await listening(), await listening(socketPath), await listening()];
  const placed = portOf(sockets[1]);
  const pidFile = join(directory, 'headgate.pid');
  const config = {
    listeners: {
      // Whatever it says of its place, the name decides.
      web: { address: '127.0.0.1', port: 1 },
      other: { address: '127.0.0.1', port: placed },
      local: { address: `unix:${socketPath}` },
    },
    routes: [{ respond: { status: 200, body: 'served' } }],
    admin: { port: 0 },
    pidFile,
  };
  const file = join(directory, 'gateway.yaml');
  writeFileSync(file, JSON.stringify(config));
  // As a service manager does it: the number of the process is known once it is there.
  const command = `LISTEN_PID=$$ exec "${process.execPath}" "${MAIN}" start -c "${file}"`;
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: directory,
    env: {
      ...process.env,
      PATH: `${directory}:${process.env['PATH']}`,
      NOTIFY_SOCKET: join(directory, 'nobody'),
      LISTEN_FDS: '4',
      LISTEN_FDNAMES: 'web:headgate.socket:headgate.socket:stray',
    },
    stdio: ['pipe', 'pipe', 'pipe', ...sockets.map(fdOf)],
  });
  if (child.stdout === null || child.stderr === null) throw new Error('The output of the child is missing');
  const [out, err] = [new OutputLines(child.stdout), new OutputLines(child.stderr)];
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  try {
    await err.line(/Dashboard/);
    const ports = sockets.map(portOf);
    // From now on they are the child's alone: what answers is the gateway.
    for (const server of sockets) server.close();
    for (const port of [ports[0], ports[1]]) expect(await bodyAt(port)).toBe('served');
    expect(await out.line(/No listener is for a socket/)).toContain('"socket":"stray"');
    await expect(bodyAt(ports[3])).rejects.toThrow();
    expect(readFileSync(pidFile, 'utf8')).toBe(`${child.pid}\n`);
    const told = (): string => (existsSync(notified) ? readFileSync(notified, 'utf8') : '');
    await until(() => told().includes('READY=1'), 'readiness to be told');
    child.kill('SIGHUP');
    await until(() => told().split('READY=1').length === 3, 'the end of the reload to be told');
    // Nobody has to say so when the file changes.
    writeFileSync(file, JSON.stringify({ ...config, routes: [{ respond: { status: 200, body: 'changed' } }] }));
    expect(await out.line(/"by":"watch"/)).toContain('"msg":"Reloaded"');
    expect(await bodyAt(ports[0])).toBe('changed');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(told().split('\n')).toEqual([
      `READY=1 MAINPID=${child.pid} STATUS=Serving`,
      expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/),
      `READY=1 MAINPID=${child.pid} STATUS=Serving`,
      'STOPPING=1 STATUS=Draining',
      '',
    ]);
    expect(existsSync(pidFile)).toBe(false);
  } finally {
    child.kill('SIGKILL');
    for (const server of sockets) server.close();
  }
});

async function bodyAt(port: number | undefined): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return reply.text();
}
