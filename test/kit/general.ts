/**
 * Tests outside the matrix run as production does: over the fast lane and the lean transport. Where what they are about is HTTP/1.1 itself,
 * they run a second time over Fastify and undici (project `general` of vitest.config.ts), which say what is right.
 */
export const GENERAL = process.env['TEST_GENERAL'] === '1';
