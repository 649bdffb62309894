import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// All workers load the same packages and sources: they are compiled once.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled');

/** These look at the whole process: what other files have left in its heap would count. */
export const ALONE = ['test/unit/transport/{endurance,streaming}.test.ts'];
const E2E = 'test/e2e/**';

/** What HTTP/1.1 itself is about, outside the matrix: run a second time over Fastify and undici alone (test/kit/general.ts). */
const GENERAL = [
  'test/conformance/cache/*.test.ts',
  'test/proxy/{downstream-{messages,bodies,connections,refusals,resets,tls,upgrades},early-goodbyes,ended-tunnels}.test.ts',
  'test/proxy/{h2c,proxy-protocol-in,reload-state,refused-uploads,unix-listeners}.test.ts',
  'test/unit/transport/{connections,dialling,early-head,failure,idle-limit,keep-alive,proxied-connections}.test.ts',
  'test/unit/transport/{proxy-header,request-framing,requests,response-head,responses,upgrade,warm-up}.test.ts',
];

export default defineConfig({
  test: {
    // Node itself loads what is tested, as it does in production, and strips its types.
    experimental: { viteModuleRunner: false },
    setupFiles: ['test/kit/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores: more workers only make the sockets slower.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // Two processes for all files: to start one and to load everything again for each file was a third of the time. What a
        // file may rely on, and must leave behind, is in docs/architecture.md.
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [E2E, ...ALONE], isolate: false },
      },
      {
        extends: true,
        test: { name: 'general', include: GENERAL, isolate: false, env: { TEST_GENERAL: '1' } },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, exclude: [E2E], sequence: { groupOrder: 1 } },
      },
    ],
  },
});
