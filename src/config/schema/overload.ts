import { z } from 'zod';
import { duration, isMap, share } from './units.ts';

export const overload = z
  .strictObject({
    eventLoopDelay: duration
      .default(500)
      .describe('Requests are refused from this delay on, all at four times of it; 0 for never'),
    memory: share.default(0.95).describe('And from this share of the heap’s or the container’s limit on; 0 for never'),
  })
  .superRefine(
    ({ eventLoopDelay, memory }, context) => {
      if (memory === 1) {
        const message = 'at 100% there is nothing left to refuse requests with; 0 for never';
        context.issues.push({ code: 'custom', input: memory, message, path: ['memory'] });
      }
      if (eventLoopDelay > 0 && eventLoopDelay < 50) {
        const message = 'an event loop is late by some milliseconds all the time: 50ms is the least, 0 for never';
        context.issues.push({ code: 'custom', input: eventLoopDelay, message, path: ['eventLoopDelay'] });
      }
    },
    { when: isMap },
  )
  .prefault({});
