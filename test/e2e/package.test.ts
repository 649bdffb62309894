import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask } from './kit/client.ts';
import { CHECKOUT, GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { ownEnvironment } from './kit/own-environment.ts';
import { findProgram, requirePrograms } from './kit/programs.ts';
import { type Finished, run } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const { npm } = requirePrograms('npm', 'sh');
const directory = temporaryDirectory();
const consumer = join(directory, 'consumer');
const binary = join(consumer, 'node_modules/.bin/headgate');
const PATIENCE_MS = 200_000;

let files: string[];

beforeAll(async () => {
  const packed = await runHere(npm, ['pack', '--json', '--pack-destination', directory], CHECKOUT);
  // What the build prints comes before the JSON.
  const [tarball] = packedBy(packed.stdout);
  if (tarball === undefined) throw new Error(`npm pack made nothing: ${packed.stdout}`);
  files = tarball.files.map(({ path }) => path);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  await runHere(
    npm,
    ['install', '--prefer-offline', '--no-audit', '--no-fund', join(directory, tarball.filename)],
    consumer,
  );
}, PATIENCE_MS);

describe('the package', () => {
  test('brings compiled JavaScript with its types, the JSON Schema and the dashboard', () => {
    for (const file of [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/gateway.js',
      'dist/gateway.d.ts',
      'dist/main.js',
      'dist/cli/headgate.js',
      'dist/headgate.schema.json',
      'dist/admin/dashboard/index.html',
      'routes/demo.yaml',
      'docs/openapi.json',
      'docs/headgate.schema.json', // named by the header of each file in routes/
    ]) {
      expect(files).toContain(file);
    }
  });

  test('brings no source, test, certificate or key', () => {
    const strange = files.filter(
      (file) =>
        !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/(headgate\.schema|openapi)\.json|routes\/[\w-]+\.yaml)$/.test(
          file,
        ) && !/^dist\/[\w/.-]+\.(js|d\.ts|html|json|css)$/.test(file),
    );
    expect(strange).toEqual([]);
    expect(files.filter((file) => /\.test\.|^test\/|certs\/|\.pem$|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  test('has a program that says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
    const { code, stdout } = await run(binary, ['--version'], { cwd: consumer, env: ownEnvironment() });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${version}\n` });
  });

  test('checks the starter configuration that it brings', async () => {
    const args = ['check', '-c', 'node_modules/headgate/routes'];
    const { code, stdout, stderr } = await run(binary, args, { cwd: consumer, env: ownEnvironment() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/is valid: 2 listeners, 3 pools, \d routes/);
  });

  test('refuses a wrong configuration with its place and 78', async () => {
    writeFileSync(join(consumer, 'wrong.yaml'), 'routes:\n  - match: { path: /a }\n    polo: shop\n');
    const { code, stderr } = await run(binary, ['check', '-c', 'wrong.yaml'], { cwd: consumer, env: ownEnvironment() });
    expect(code).toBe(78);
    expect(stderr).toContain('wrong.yaml:3:5');
    expect(stderr).toContain('did you mean “pool”?');
  });

  test('serves, without configuration, over HTTPS', async () => {
    const service = await LocalService.listen((request, response) => response.end(`hello ${request.url}`));
    const args = [`/api/=${service.port}`, '--port', '0', '--http-port', '0', '--admin-port', '0'];
    const env = { ...ownEnvironment(), XDG_DATA_HOME: join(directory, 'data') };
    const gateway = await GatewayProcess.spawn(binary, args, { cwd: consumer, env });
    try {
      const ca = gateway.authority();
      const reply = await ask(`https://localhost:${gateway.port('https')}/api/world`, { ca });
      expect({ status: reply.status, text: reply.text }).toEqual({ status: 200, text: 'hello /world' });
      expect((await ask(`${gateway.adminUrl}/`)).text).toContain('<title>Headgate</title>');
      expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    } finally {
      await gateway.stop();
      await service.close();
    }
  });

  test('tells an old Node what to do, and ends with 69', async ({ skip }) => {
    const old = findProgram('node', (folder) => folder.includes(`${sep}node_modules${sep}`) || isOurs(folder));
    const version = old === null ? null : await run(old, ['--version'], { cwd: consumer });
    const major = Number(/^v(\d+)/.exec(version?.stdout ?? '')?.[1] ?? 99);
    if (old === null || major >= 24) return skip(`the machine's own Node is ${version?.stdout ?? 'not there'}`);
    const env = { ...ownEnvironment(), PATH: [dirname(old), '/usr/bin', '/bin'].join(delimiter) };
    const { code, stdout, stderr } = await run(binary, ['--version'], { cwd: consumer, env });
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toMatch(/^headgate needs Node\.js 24\.15 or newer; this is \d+\.\d+\.\d+\.\n/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a TypeScript program that imports the package', () => {
  beforeAll(() => {
    mkdirSync(join(consumer, 'node_modules/@types'), { recursive: true });
    symlinkSync(join(CHECKOUT, 'node_modules/@types/node'), join(consumer, 'node_modules/@types/node'));
  });

  test('type-checks, the types of what it depends on included', async () => {
    writeFileSync(join(consumer, 'right.ts'), RIGHT);
    const { code, stdout } = await typeCheck('right.ts');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test('hears of a mistake', async () => {
    writeFileSync(join(consumer, 'wrong.ts'), WRONG);
    const { code, stdout } = await typeCheck('wrong.ts');
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/wrong\.ts\(2,\d+\): error TS\d+: .*developmnet/);
  });
});

const RIGHT = `import schema from 'headgate/schema' with { type: 'json' };
import { type Gateway, type GatewayOptions, StartError, startGateway } from 'headgate';
export async function open(options: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  const url: string | undefined = gateway.urls.get('https');
  console.log(url, gateway.status().pools.map((pool) => pool.endpoints.length), schema, StartError);
  await gateway.drain();
  return gateway;
}
`;

const WRONG = `import type { GatewayOptions } from 'headgate';
export const options: Partial<GatewayOptions> = { developmnet: true };
`;

function typeCheck(file: string): Promise<Finished> {
  const compiler = join(CHECKOUT, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2025', '--module', 'nodenext', '--types', 'node'];
  return run(process.execPath, [compiler, ...options, file], { cwd: consumer, patienceMs: 60_000 });
}

async function runHere(program: string, args: readonly string[], cwd: string): Promise<Finished> {
  const finished = await run(program, args, { cwd, env: ownEnvironment(), patienceMs: PATIENCE_MS });
  if (finished.code !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${finished.stderr}`);
  return finished;
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** npm 11 prints a list, npm 12 a map by name. */
function packedBy(stdout: string): Packed[] {
  const start = Math.max(0, stdout.search(/^[[{]/m));
  return Object.values(JSON.parse(stdout.slice(start)) as Record<string, Packed>);
}

/** The runtime that the checkout brings, under any of its names. */
function isOurs(folder: string): boolean {
  return folder.startsWith(join(CHECKOUT, 'node_modules'));
}
