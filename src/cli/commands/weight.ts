import type { HandCommand } from '../by-hand.ts';
import { byHand } from '../by-hand-arguments.ts';
import type { Command } from '../command.ts';

export const weight: Command<HandCommand> = byHand('weight', {
  summary: 'give an endpoint another share',
  lead: 'Give an endpoint of a running gateway another share: 0 to 1000, 0 for its sessions alone.',
  examples: ['headgate weight shop 10.0.0.11:3000 5', 'headgate weight shop 10.0.0.11:3000 default'],
});
