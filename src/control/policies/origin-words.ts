import type { OriginPattern } from '../../policy/origin-pattern.ts';

export function originWords(origins: readonly OriginPattern[]): string {
  return origins.map((origin) => (typeof origin === 'string' ? origin : `~ ${origin.regex}`)).join(', ');
}
