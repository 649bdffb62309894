import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseArguments } from '../../src/cli/arguments.ts';
import { DEMO_SERVICES } from '../../src/cli/demo-services.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ask } from './kit/client.ts';
import { copiesOf, lastValue, parseCopy, parseDockerfile, type Stage } from './kit/dockerfile.ts';
import { CHECKOUT, GatewayProcess } from './kit/gateway-process.ts';
import { ownEnvironment } from './kit/own-environment.ts';
import { requirePrograms } from './kit/programs.ts';
import { run } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

// Docker itself is not needed: the files are read, and the steps of the build stage are run in an empty folder.
const { sh } = requirePrograms('sh', 'npm');
const directory = temporaryDirectory();

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Service {
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
}

const compose = parse(readFileSync(join(CHECKOUT, 'docker-compose.yml'), 'utf8')) as Compose;
const [build, image] = parseDockerfile(readFileSync(join(CHECKOUT, 'Dockerfile'), 'utf8')) as [Stage, Stage];
const gatewayService = compose.services['gateway'] as Service;

describe('docker-compose.yml', () => {
  test('gives every service a command that the CLI understands', () => {
    for (const [name, { command }] of Object.entries(compose.services)) {
      if (command === undefined) continue;
      const { command: asked, options } = parseArguments(command, {});
      expect(asked.name).toBe('demo');
      expect(options).toMatchObject({ service: name, address: '0.0.0.0' });
    }
    expect(Object.keys(compose.services).sort()).toEqual(['gateway', ...DEMO_SERVICES].sort());
  });

  test('tells the gateway where each demo service listens, by the variables of routes/', () => {
    for (const name of DEMO_SERVICES) {
      const variable = `DEMO_${name.toUpperCase()}`;
      const port = compose.services[name]?.command?.at(-1);
      expect(gatewayService.environment?.[variable]).toBe(`${name}:${port}`);
      expect(gatewayService.depends_on).toContain(name);
    }
    const loaded = loadConfig(join(CHECKOUT, 'routes'), gatewayService.environment ?? {});
    if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
    const hosts = Object.values(loaded.config.pools).flatMap(({ endpoints }) =>
      endpoints.map(({ address }) => ('host' in address ? address.host : address.socketPath)),
    );
    expect(hosts.sort()).toEqual([...DEMO_SERVICES].sort());
  });

  test('publishes the ports that the configuration listens on and the image exposes', () => {
    const loaded = loadConfig(join(CHECKOUT, 'routes'), {});
    if (!loaded.ok) throw new Error('routes/ is not valid');
    const listening = Object.values(loaded.config.listeners).map(({ port }) => `${port}`);
    const published = gatewayService.ports?.map((pair) => pair.split(':')[1]) ?? [];
    expect(published.sort()).toEqual(listening.sort());
    expect(lastValue(image, 'EXPOSE').split(/\s+/).sort()).toEqual(listening.sort());
  });

  test('keeps minted certificates on a volume that it declares, where the image has them', () => {
    const [volume, path] = gatewayService.volumes?.[0]?.split(':') ?? [];
    expect(Object.keys(compose.volumes)).toContain(volume);
    expect(path).toBe(lastValue(image, 'VOLUME'));
  });
});

describe('Dockerfile', () => {
  test('copies only what is there and not kept out of the build context', () => {
    const ignored = readFileSync(join(CHECKOUT, '.dockerignore'), 'utf8').split('\n');
    const sources = [build, image].flatMap(copiesOf).filter(({ stage }) => stage === null);
    for (const source of sources.flatMap((copy) => copy.sources)) {
      expect(`${source} ${existsSync(join(CHECKOUT, source))}`).toBe(`${source} true`);
      expect(ignored).not.toContain(source.split('/')[0]);
    }
  });

  test('runs as a user without rights, stops by SIGTERM, and says how it is', () => {
    expect(image.image).toBe('node:26-slim');
    expect(lastValue(image, 'USER')).toBe('node');
    expect(lastValue(image, 'STOPSIGNAL')).toBe('SIGTERM');
    expect(JSON.parse(lastValue(image, 'ENTRYPOINT'))).toEqual(['node', 'dist/cli/headgate.js']);
    const { command } = parseArguments(JSON.parse(lastValue(image, 'CMD')) as string[], {});
    expect(command.name).toBe('start');
    const check = JSON.parse(lastValue(image, 'HEALTHCHECK').replace(/^.*?CMD /, '')) as string[];
    expect(check.join(' ')).toContain('http://127.0.0.1:4600/readyz');
  });

  test('its steps make a folder in which the gateway starts', { timeout: 240_000 }, async () => {
    const built = await runBuildStage();
    const root = assembleImage(built);
    const optional = ['iovalkey', 'vitest'].filter((name) => existsSync(join(root, 'node_modules', name)));
    expect(optional).toEqual(['iovalkey']);
    const env = {
      NODE_ENV: 'production',
      HEADGATE_HTTPS_PORT: '0',
      HEADGATE_HTTP_PORT: '0',
      HEADGATE_ADMIN_PORT: '0',
      NO_COLOR: '1',
    };
    const entry = [...(JSON.parse(lastValue(image, 'ENTRYPOINT')) as string[]).slice(1), 'start'];
    const gateway = await GatewayProcess.spawn(process.execPath, entry, { cwd: root, env });
    try {
      const reply = await ask(`https://localhost:${gateway.port('https')}/`, { ca: gateway.authority() });
      expect(reply.status).toBe(200);
      expect(gateway.authorityFile).toBe(join(root, 'certs/ca.pem'));
      expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    } finally {
      await gateway.stop();
    }
  });
});

/** COPY and RUN of the build stage, in order, in an empty folder. */
async function runBuildStage(): Promise<string> {
  const folder = join(directory, 'build');
  mkdirSync(folder);
  for (const { keyword, rest } of build.instructions) {
    if (keyword === 'COPY') {
      const { sources, destination } = parseCopy(rest);
      for (const source of sources) copyInto(join(CHECKOUT, source), resolve(folder, destination), destination);
    }
    if (keyword !== 'RUN') continue;
    const { code, stderr } = await run(sh, ['-c', rest], { cwd: folder, env: ownEnvironment(), patienceMs: 200_000 });
    expect({ step: rest, code, stderr: code === 0 ? '' : stderr }).toEqual({ step: rest, code: 0, stderr: '' });
  }
  return folder;
}

/** The COPY steps of the image, and the folder for certificates. */
function assembleImage(built: string): string {
  const root = join(directory, 'headgate');
  for (const { stage, sources, destination } of copiesOf(image)) {
    for (const source of sources) {
      const from = stage === null ? join(CHECKOUT, source) : join(built, source.replace(/^\/build\//, ''));
      copyInto(from, resolve(root, destination), destination);
    }
  }
  mkdirSync(join(root, 'certs'));
  return root;
}

/** `COPY dir to` copies the content of `dir` into `to`; `COPY file dir/` keeps the file's name. */
function copyInto(source: string, target: string, destination: string): void {
  const file = destination.endsWith('/') ? join(target, basename(source)) : target;
  mkdirSync(dirname(file), { recursive: true });
  cpSync(source, file, { recursive: true });
}
