import type { HandCommand } from '../by-hand.ts';
import { byHand } from '../by-hand-arguments.ts';
import type { Command } from '../command.ts';

export const enable: Command<HandCommand> = byHand('enable', {
  summary: 'undo drain and disable',
  lead: 'Undo drain and disable: the endpoint of a running gateway gets its share again.',
  examples: ['headgate enable shop 10.0.0.11:3000'],
});
