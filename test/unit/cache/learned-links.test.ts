import { describe, expect, test } from 'vitest';
import { invalidate } from '../../../src/cache/invalidate.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import { hintsOf, LearnedLinks } from '../../../src/cache/learned-links.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { allowed, get, ok, smallStore, T0 } from './origin.ts';

const HTML: HeaderList = ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'max-age=60', 'ETag', '"1"'];
const CSS = ['Link', '</a.css>; rel=preload; as=style'];

class Scene {
  readonly store = smallStore();
  readonly links: LearnedLinks;

  constructor(maxBytes = 100_000) {
    this.links = new LearnedLinks(maxBytes);
  }

  learn(headers: HeaderList, request = get(), status = 200): this {
    const head = ok(headers, T0, status);
    this.links.learn({ request, head, verdict: allowed(request, head), epoch: this.store.epoch });
    return this;
  }

  hints(request: CacheRequest = get()): HeaderList | null {
    return this.links.hintsFor(request, this.store);
  }
}

describe('links learned from stored pages (RFC 8297)', () => {
  test('preload, modulepreload and preconnect are worth a hint, each as a field', () => {
    const links =
      '</a.css>; rel=preload; as=style, </n>; rel=next, <//cdn.test>; rel=preconnect, </m.js>; rel="modulepreload"';
    expect(new Scene().learn([...HTML, 'Link', links, 'link', '</b>; rel="x preload"']).hints()).toEqual([
      ...['Link', '</a.css>; rel=preload; as=style', 'Link', '<//cdn.test>; rel=preconnect'],
      ...['Link', '</m.js>; rel="modulepreload"', 'Link', '</b>; rel="x preload"'],
    ]);
  });

  test.each<[string, HeaderList, number]>([
    ['no page', ['Content-Type', 'text/css', 'Cache-Control', 'max-age=60', ...CSS], 200],
    ['a type that only begins like one', ['Content-Type', 'text/html5', 'Cache-Control', 'max-age=60', ...CSS], 200],
    ['an error', [...HTML, ...CSS], 404],
    ['no links', HTML, 200],
    ['links of other kinds', [...HTML, 'Link', '</a>; rel=canonical'], 200],
    ['a link about something else', [...HTML, 'Link', '</a>; rel=preload; anchor="/b"'], 200],
    ['links that must not be stored', [...HTML, ...CSS, 'Cache-Control', 'no-cache="link"'], 200],
    ['a page for one user', [...HTML, ...CSS, 'Vary', 'Cookie'], 200],
    ['a page for one login', [...HTML, ...CSS, 'Vary', 'Accept-Encoding, Authorization'], 200],
  ])('nothing is learned from %s, and what was known is forgotten', (_name, headers, status) => {
    const scene = new Scene().learn([...HTML, ...CSS]).learn(headers, get(), status);
    expect([scene.hints(), scene.links.pages, scene.links.bytes]).toEqual([null, 0, 0]);
  });

  test('a variant is announced to those who would get it', () => {
    const german = get(['Accept-Language', 'de']);
    const scene = new Scene().learn([...HTML, ...CSS, 'Vary', 'Accept-Language'], german);
    expect([scene.hints(german), scene.hints(get(['Accept-Language', 'fr']))]).toEqual([CSS, null]);
  });

  test('other paths, hosts and partitions are other pages', () => {
    const scene = new Scene().learn([...HTML, ...CSS]);
    for (const other of [{ path: '/b' }, { host: 'blog.test' }, { query: 'x' }, { partition: 'beta' }]) {
      expect(scene.hints(get([], other))).toBeNull();
    }
  });

  test('RFC 9111 §4.4 what is invalidated is not announced any more', () => {
    const scene = new Scene().learn([...HTML, ...CSS]);
    invalidate(scene.store, get([], { method: 'POST' }), { status: 204, headers: [] });
    expect([scene.hints(), scene.links.pages]).toEqual([null, 0]);
  });

  test('at most 16 links and 2 KiB of them are kept of a page', () => {
    const many = Array.from({ length: 20 }, (_, i) => `</${i}.js>; rel=preload`).join(', ');
    expect(hintsOf(['Link', many])).toHaveLength(32);
    const long = Array.from({ length: 3 }, (_, i) => `</${i}${'x'.repeat(900)}>; rel=preload`).join(', ');
    expect(hintsOf(['Link', long])).toHaveLength(4);
  });

  test('all pages together are bounded in bytes, and what was not asked for longest is forgotten', () => {
    const scene = new Scene(1_000).learn([...HTML, ...CSS]).learn([...HTML, ...CSS], get([], { path: '/b' }));
    expect([scene.links.pages, scene.hints()]).toEqual([2, CSS]);
    scene.learn([...HTML, ...CSS], get([], { path: '/c' }));
    expect([scene.links.pages, scene.links.bytes <= 1_000]).toEqual([2, true]);
    expect([scene.hints(), scene.hints(get([], { path: '/b' }))]).toEqual([CSS, null]);
  });
});
