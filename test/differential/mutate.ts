import type { Random } from './random.ts';

const TELLING = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '\x00',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '#',
  '/',
  '"',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'GET / HTTP/1.1\r\n',
  'HTTP/1.1 ',
  'Host: b\r\n',
];

/** `text` with some of its bytes flipped, left out, put in or moved. */
export function mutate(random: Random, text: string): string {
  let mutated = text;
  for (let i = random.pick([1, 1, 2, 3]); i > 0; i -= 1) mutated = mutateOnce(random, mutated);
  return mutated;
}

function mutateOnce(random: Random, text: string): string {
  // Most of what matters is at the beginning.
  const at = random.oneIn(3) ? random.int(text.length + 1) : random.int(Math.min(text.length, 300) + 1);
  const before = text.slice(0, at);
  const rest = text.slice(at);
  switch (random.int(6)) {
    case 0:
      return `${before}${String.fromCharCode((rest.charCodeAt(0) || 0) ^ (1 << random.int(8)))}${rest.slice(1)}`;
    case 1:
      return `${before}${rest.slice(random.between(1, 4))}`;
    case 2:
      return `${before}${random.pick(TELLING)}${rest}`;
    case 3:
      return `${before}${random.pick(TELLING)}${rest.slice(1)}`;
    case 4:
      return `${before}${rest.slice(0, random.between(1, 40))}${rest}`;
    default: {
      const from = random.int(text.length + 1);
      return `${before}${text.slice(from, from + random.between(1, 60))}${rest}`;
    }
  }
}

/** `text` in packets: mostly one, else a few, or many small ones. */
export function split(random: Random, text: string): string[] {
  const cuts = random.pick([0, 0, 0, 1, 1, 2, 3, 8]);
  const places = new Set<number>();
  for (let i = 0; i < cuts; i += 1) {
    places.add(random.oneIn(2) ? random.int(text.length + 1) : random.int(Math.min(text.length, 200) + 1));
  }
  return splitAt(
    text,
    [...places].sort((a, b) => a - b),
  );
}

/** `text` cut before each of `places`, which grow. Nothing is empty. */
export function splitAt(text: string, places: readonly number[]): string[] {
  return [0, ...places]
    .map((from, index) => text.slice(from, places[index] ?? text.length))
    .filter((packet) => packet !== '');
}
