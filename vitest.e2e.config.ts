import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    setupFiles: ['test/kit/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Whole processes, browsers and gigabytes: one file at a time on two cores.
    fileParallelism: false,
  },
});
