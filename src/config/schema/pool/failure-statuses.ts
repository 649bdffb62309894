import { z } from 'zod';

/** For passive health and breakers: the statuses of gateways, which say that something behind the endpoint is broken. */
export const failureStatuses = z
  .array(z.number().int().min(400).max(599))
  .default([502, 503, 504])
  .describe('Statuses of endpoints that are failures');
