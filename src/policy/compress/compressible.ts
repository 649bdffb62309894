/**
 * What gets smaller: text, and formats that are text or uncompressed inside (fonts but WOFF, bitmaps, WebAssembly). A member is a media type, or
 * ends in `/*` for all of a kind; structured syntax suffixes (RFC 6839) count with their `+`.
 */
export const COMPRESSIBLE: readonly string[] = [
  'text/*',
  'application/javascript',
  'application/ecmascript',
  'application/json',
  'application/ndjson',
  'application/x-ndjson',
  'application/graphql',
  'application/ld+json',
  'application/manifest+json',
  'application/xml',
  'application/xhtml+xml',
  'application/rss+xml',
  'application/atom+xml',
  'application/wasm',
  'application/vnd.ms-fontobject',
  'application/x-font-ttf',
  'application/x-font-opentype',
  'application/x-protobuf',
  'application/x-sh',
  'application/x-yaml',
  'application/yaml',
  'application/toml',
  'application/sql',
  'application/rtf',
  'font/otf',
  'font/ttf',
  'font/collection',
  'image/svg+xml',
  'image/bmp',
  'image/x-icon',
  'image/vnd.microsoft.icon',
  '+json',
  '+xml',
  '+yaml',
];

/** Is a media type (lower case, no parameters) one of a list of `type/subtype`, `type/*` and `+suffix`? */
export function mediaTypeTest(list: readonly string[]): (type: string) => boolean {
  const lower = list.map((member) => member.toLowerCase());
  const exact = new Set(lower.filter((member) => !member.startsWith('+') && !member.endsWith('/*')));
  const kinds = lower.filter((member) => member.endsWith('/*')).map((member) => member.slice(0, -1));
  const suffixes = lower.filter((member) => member.startsWith('+'));
  return (type) =>
    exact.has(type) || kinds.some((kind) => type.startsWith(kind)) || suffixes.some((suffix) => type.endsWith(suffix));
}
