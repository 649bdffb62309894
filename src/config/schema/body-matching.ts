import { z } from 'zod';
import { duration, isMap, size } from './units.ts';

const MOST_BYTES = 1024 * 1024;

/** How bodies are read for `match.body` of routes. */
export const bodyMatching = z
  .strictObject({
    limit: size.default(65_536).describe('Most that is looked at of one body; 1M at most'),
    timeout: duration
      .default(10_000)
      .describe('Longest wait for room in memory, and then for that part of a body; 0 for no bound but bodyRate'),
    memory: size
      .default(67_108_864)
      .describe('What is held of all bodies together; beyond it, bodies are left unread for a while'),
  })
  .superRefine(
    ({ limit, memory }, context) => {
      if (limit < 1 || limit > MOST_BYTES) {
        const message = 'this much of a body is looked at in one go, while nothing else is done: 1 to 1M';
        context.issues.push({ code: 'custom', input: limit, message, path: ['limit'] });
      }
      if (memory < limit) {
        const message = 'there must be room for one body: at least as much as limit';
        context.issues.push({ code: 'custom', input: memory, message, path: ['memory'] });
      }
    },
    { when: isMap },
  )
  .prefault({});
