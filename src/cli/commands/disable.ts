import type { HandCommand } from '../by-hand.ts';
import { byHand } from '../by-hand-arguments.ts';
import type { Command } from '../command.ts';

export const disable: Command<HandCommand> = byHand('disable', {
  summary: 'send an endpoint nothing at all',
  lead: 'Send an endpoint of a running gateway nothing at all; its sessions move.',
  examples: ['headgate disable shop 10.0.0.11:3000'],
});
