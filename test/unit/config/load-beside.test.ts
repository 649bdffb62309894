import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadBeside } from '../../../src/config/beside/load-beside.ts';
import { piecesOf } from '../../../src/config/beside/pieces.ts';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-beside-'));
afterAll(() => rmSync(directory, { recursive: true }));

const environment = { TOKEN: 'not-to-be-shown-anywhere' };

test.each([
  ['the configuration that a checkout starts with', 'routes'],
  ['several hundred routes and pools', many(250)],
  ['nothing', file('empty.yaml', '')],
  ['broken YAML', file('broken.yaml', 'routes: [\n')],
  ['a mistake', file('mistake.yaml', 'pools:\n  shop: { endpoint: [a] }\nroutes:\n  - { pool: shop }\n')],
  ['a file that is not there', join(directory, 'none.yaml')],
])('on a thread of its own, %s is loaded as it is here', async (_name, path) => {
  const here = loadConfig(path, environment);
  const beside = await loadBeside({ path, environment }, { smallBytes: -1 });
  expect(plain(beside)).toEqual(plain(here));
});

test('places, and what must not be shown, are known of what was loaded on a thread', async () => {
  const path = many(250);
  const loaded = await loadBeside({ path, environment }, { smallBytes: -1 });
  if (!loaded.ok) throw new Error('It is sound');
  expect(loaded.origins.where(['routes', 249])).toBe(`${path}:${252 + 250}`);
  const header = ['routes', 7, 'requestHeaders', 'set', 'x-token'];
  expect(loaded.origins.withoutSecrets(header, `“${environment.TOKEN}” is wrong`)).toBe('“${TOKEN}” is wrong');
});

test('no piece has more than a hundred routes or pools', () => {
  const pieces = [...piecesOf(loadConfig(many(250), environment))];
  expect(pieces.map(({ kind }) => kind)).toEqual(['frame', 'pools', 'pools', 'pools', 'routes', 'routes', 'routes']);
});

function many(count: number): string {
  const pools = Array.from({ length: count }, (_, i) => `  p${i}: { endpoints: ['127.0.0.1:${1 + i}'] }`);
  const routes = Array.from(
    { length: count },
    (_, i) => `  - { match: { path: /r${i}/** }, pool: p${i}, requestHeaders: { set: { x-token: '\${TOKEN}' } } }`,
  );
  return file(`many-${count}.yaml`, ['pools:', ...pools, 'routes:', ...routes, ''].join('\n'));
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function plain(loaded: LoadResult): unknown {
  const { files } = loaded;
  if (!loaded.ok)
    return {
      files,
      diagnostics: loaded.diagnostics,
      sound: [loaded.sound?.config, loaded.sound?.faults, loaded.sound?.origins.root],
    };
  return { files, config: loaded.config, root: loaded.origins.root };
}
