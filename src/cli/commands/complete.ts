import type { Command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export interface CompleteOptions {
  /** What is written behind `headgate` up to the cursor; the last one is being written, and may be empty. */
  readonly words: readonly string[];
}

/** What the scripts of `headgate completion` ask: a line for each candidate, a tab before what is said about it. */
export const complete: Command<CompleteOptions> = {
  name: '__complete',
  summary: 'what may stand at the cursor',
  group: null,
  options: {},
  positionals: [{ name: 'WORD', repeated: true }],
  help: {
    lead: 'Tell what may stand at the cursor, for the completion of the shells.',
    examples: ["headgate __complete -- drain ''"],
  },
  parse: ({ positionals }) => ({ words: positionals }),
  run: async ({ words }, { stdout, environment }) => {
    const [{ complete: candidates }, { namesOf }, { COMMANDS }] = await Promise.all([
      import('../complete.ts'),
      import('../gateway-names.ts'),
      import('../registry.ts'), // which lists this file too
    ]);
    const found = await candidates(words, { commands: COMMANDS, environment, names: namesOf(environment) });
    if (typeof found === 'string') stdout.write(`:${found}\n`);
    else stdout.write(found.map(lineOf).join(''));
    return exitCodes.ok;
  },
};

/** What would be more than a word of one line can't be completed. */
function lineOf({ text, about }: { readonly text: string; readonly about: string }): string {
  return /[\p{Cc}\s]/u.test(text) ? '' : `${text}\t${about}\n`;
}
