import { z } from 'zod';

export const reload = z
  .strictObject({
    watch: z
      .boolean()
      .default(true)
      .describe('Reload when a file of the configuration has changed, as soon as it has settled'),
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse a configuration of which anything would be quarantined (docs/quarantine.md)'),
  })
  .prefault({});
