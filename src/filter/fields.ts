import type { ExchangeLine } from '../exchange/line.ts';

/** What values of a field are written like, and what can be asked of them. */
export type FieldKind = 'number' | 'status' | 'duration' | 'size' | 'text' | 'truth' | 'texts';

export interface Field {
  readonly name: keyof ExchangeLine;
  readonly kind: FieldKind;
}

/** Fields of the access log that can be asked for. `time` is not: a log is in order of it. */
const KINDS: Readonly<Partial<Record<keyof ExchangeLine, FieldKind>>> = {
  id: 'text',
  trace: 'text',
  span: 'text',
  listener: 'text',
  client: 'text',
  method: 'text',
  host: 'text',
  path: 'text',
  protocol: 'text',
  status: 'status',
  grpcStatus: 'number',
  bytesIn: 'size',
  bytesOut: 'size',
  totalMs: 'duration',
  queueMs: 'duration',
  connectMs: 'duration',
  firstByteMs: 'duration',
  upstreamMs: 'duration',
  overheadMs: 'duration',
  route: 'text',
  pool: 'text',
  endpoint: 'text',
  attempts: 'number',
  retries: 'texts',
  noRetry: 'text',
  fallback: 'text',
  reused: 'truth',
  cacheResult: 'text',
  user: 'text',
  policy: 'text',
  notes: 'texts',
  tls: 'text',
  sni: 'text',
  side: 'text',
  end: 'text',
  error: 'text',
};

const ALIASES: Readonly<Record<string, keyof ExchangeLine>> = {
  duration: 'totalMs',
  total: 'totalMs',
  queue: 'queueMs',
  connect: 'connectMs',
  firstByte: 'firstByteMs',
  upstream: 'upstreamMs',
  overhead: 'overheadMs',
  bytes: 'bytesOut',
  cache: 'cacheResult',
  reason: 'end',
};

/** Names that are understood, aliases included. */
export const FIELD_NAMES: readonly string[] = [...Object.keys(KINDS), ...Object.keys(ALIASES)];

/** `null` for a name that is none. */
export function fieldOf(name: string): Field | null {
  if (Object.hasOwn(ALIASES, name)) return fieldOf(ALIASES[name] as string);
  if (!Object.hasOwn(KINDS, name)) return null;
  const field = name as keyof ExchangeLine;
  return { name: field, kind: KINDS[field] as FieldKind };
}
