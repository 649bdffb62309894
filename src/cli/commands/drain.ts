import type { HandCommand } from '../by-hand.ts';
import { byHand } from '../by-hand-arguments.ts';
import type { Command } from '../command.ts';

export const drain: Command<HandCommand> = byHand('drain', {
  summary: 'send an endpoint no new work but its sessions',
  lead: 'Send an endpoint of a running gateway no new work but the sessions that it has.',
  examples: [
    'headgate drain shop 10.0.0.11:3000',
    'headgate drain shop unix:/run/app.sock --admin http://127.0.0.1:4600',
  ],
});
