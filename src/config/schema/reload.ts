import { z } from 'zod';
import { duration } from './units.ts';

export const reload = z
  .strictObject({
    watch: z
      .boolean()
      .default(true)
      .describe('Reload when a file of the configuration has changed, as soon as it has settled'),
    tunnels: z
      .union([z.literal('keep'), duration])
      .default('keep')
      .describe(
        'How long WebSockets and other tunnels go on after a reload that leads them elsewhere (docs/reload.md)',
      ),
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse a configuration of which anything would be quarantined (docs/quarantine.md)'),
  })
  .prefault({});
