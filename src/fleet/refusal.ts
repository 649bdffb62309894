import { ConfigError } from '../config/config-error.ts';
import { StartError } from '../gateway/start-error.ts';
import type { Refusal } from './protocol.ts';

/** An error as it crosses the channel. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ConfigError) return { kind: 'configuration', diagnostics: error.diagnostics };
  if (error instanceof StartError) return { kind: 'obstacle', obstacle: error.obstacle, message: error.message };
  return { kind: 'bug', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** And as it was. */
export function errorOf(refusal: Refusal): Error {
  if (refusal.kind === 'configuration') return new ConfigError(refusal.diagnostics);
  if (refusal.kind === 'obstacle') return new StartError(refusal.message, { obstacle: refusal.obstacle });
  return new Error(refusal.message);
}
