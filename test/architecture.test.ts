import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** What a room may import, itself aside. `main`, `gateway` and `cli` see everything. */
const ROOMS: Record<string, readonly string[]> = {
  errors: [],
  clock: [],
  histogram: [],
  http: ['errors'],
  exchange: ['errors', 'http'],
  routing: ['errors', 'clock', 'http', 'exchange'],
  policy: ['errors', 'clock', 'http', 'exchange'],
  cache: ['errors', 'clock', 'http', 'exchange'],
  upstream: ['errors', 'clock', 'histogram', 'http', 'exchange'],
  // What filters of logs say, for whoever has lines of exchanges.
  filter: ['errors', 'exchange', 'routing', 'policy'],
  observe: ['errors', 'clock', 'histogram', 'http', 'exchange', 'filter'],
  transport: ['errors', 'clock', 'http', 'exchange'],
  downstream: ['errors', 'clock', 'http', 'exchange'],
  engine: ['errors', 'clock', 'http', 'exchange', 'routing', 'policy', 'cache', 'upstream'],
  config: ['errors'],
  control: [
    'errors',
    'clock',
    'http',
    'exchange',
    'routing',
    'policy',
    'cache',
    'upstream',
    'transport',
    'engine',
    'config',
    'filter',
  ],
  admin: ['errors', 'clock', 'http', 'upstream', 'observe', 'config', 'control'],
};

const UNRESTRICTED = new Set(['main', 'gateway', 'version', 'cli', 'fleet']);

/** Which files may import a package or a Node module. Everything not listed here is free. */
const FENCES: Record<string, readonly RegExp[]> = {
  fastify: [/^downstream\/fastify\//, /^admin\//],
  undici: [/^transport\/undici\.ts$/],
  zod: [/^config\//],
  yaml: [/^config\//],
  'lru-cache': [/^cache\/admission\.ts$/, /^control\/cache-disk\/disk-index\.ts$/],
  'tough-cookie': [/^http\/cookie\.ts$/],
  bcryptjs: [/^control\/policies\/password-matches\.ts$/],
  pino: [/^observe\//],
  re2js: [/^routing\//, /^policy\//],
  'openid-client': [/^control\/policies\//],
  jose: [/^control\/policies\//],
  // Computes, in threads of libuv.
  'node:zlib': [/^(?:admin|control|observe)\//, /^policy\/compress\/coding\.ts$/, /^policy\/decompress\/decoder\.ts$/],
  '@peculiar/x509': [/^control\/certificates\//],
  'reflect-metadata': [/^control\/certificates\//],
  iovalkey: [/^control\/policies\/redis\//],
  // `BlockList` and `isIP` do no I/O.
  'node:net': [
    /^downstream\//,
    /^transport\//,
    /^routing\/client-list\.ts$/,
    /^config\/local-name\.ts$/,
    /^control\/certificates\//,
  ],
  // The third only has it loaded, and says why.
  'node:tls': [/^downstream\//, /^transport\//, /^control\/certificates\/certificate-file\.ts$/],
  'node:http': [/^downstream\//],
  'node:http2': [/^downstream\//, /^transport\/http2\//],
  'node:fs': [/^config\//, /^control\//, /^admin\//, /^observe\/log\.ts$/],
  // The file of a Unix socket is part of the socket.
  'node:fs/promises': [/^config\//, /^control\//, /^downstream\/socket-file\.ts$/, /^observe\/process-metrics\.ts$/],
};

/** The data plane knows no files, no processes and no sockets but in the rooms that are made of them. */
const PURE_ROOMS = new Set(['http', 'exchange', 'routing', 'policy', 'cache', 'engine']);
const HARMLESS_NODE_MODULES = new Set(['node:crypto', 'node:buffer']);

const files = (readdirSync(SRC, { recursive: true, encoding: 'utf8' }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();

function roomOf(file: string): string {
  return (file.split('/')[0] as string).replace(/\.ts$/, '');
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import ['"]([^'"]+)['"]/g,
    ),
  ].map((found) => (found[1] ?? found[2] ?? found[3]) as string);
}

const DATA_PLANE = new Set([
  ...['exchange', 'routing', 'policy', 'cache', 'upstream', 'transport', 'downstream', 'engine', 'observe'],
]);

/** `sink.onDrain = () => …`: V8 makes such a function in the old generation (docs/architecture.md, "Functions in fields"). */
const FUNCTION_INTO_FIELD =
  /[\w\])]\.#?\w+ (?:=|\?\?=|\|\|=) (?:async )?(?:function\b|(?:\([^()]*\)|\w+)(?:: [^=]+)? =>)/;

describe('architecture', () => {
  test('every file lives in a room that the design knows', () => {
    const unknown = files.filter((file) => !(roomOf(file) in ROOMS) && !UNRESTRICTED.has(roomOf(file)));
    expect(unknown).toEqual([]);
  });

  test('rooms import only in the directions of the design', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const room = roomOf(file);
      if (UNRESTRICTED.has(room)) continue;
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('.')) continue;
        const target = roomOf(relative(SRC, resolve(SRC, dirname(file), specifier)).replaceAll('\\', '/'));
        if (target !== room && !ROOMS[room]?.includes(target)) wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('each fenced package is imported only where it belongs', () => {
    const wrong: string[] = [];
    for (const file of files) {
      if (UNRESTRICTED.has(roomOf(file))) continue;
      for (const specifier of importsOf(file)) {
        const fence = FENCES[specifier];
        if (fence !== undefined && !fence.some((allowed) => allowed.test(file)))
          wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the pure rooms use no Node module that does I/O', () => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => PURE_ROOMS.has(roomOf(name)))) {
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('node:') || HARMLESS_NODE_MODULES.has(specifier)) continue;
        if (FENCES[specifier]?.some((allowed) => allowed.test(file))) continue;
        wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('no file of the data plane is longer than 500 lines, and names say what is inside', () => {
    const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 501);
    const drawers = files.filter((file) =>
      /(^|[-/])(utils?|helpers?|common|misc|manager|service|base|impl|types|data|info)\.ts$|(^|\/)index\.ts$/.test(
        file,
      ),
    );
    expect({ long, drawers }).toEqual({ long: [], drawers: [] });
  });

  test('no function of the data plane is written right where a field is set', () => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => DATA_PLANE.has(roomOf(name)))) {
      for (const [index, line] of readFileSync(join(SRC, file), 'utf8').split('\n').entries()) {
        if (FUNCTION_INTO_FIELD.test(line)) wrong.push(`${file}:${index + 1}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('every module is imported with its extension, so that it runs without a build', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.') && !/\.(ts|json)$/.test(specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});
