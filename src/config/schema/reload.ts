import { z } from 'zod';

export const reload = z
  .strictObject({
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse a configuration of which anything would be quarantined (docs/quarantine.md)'),
  })
  .prefault({});
