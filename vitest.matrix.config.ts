import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import shared, { ALONE } from './vitest.config.ts';

/** All files that do more when everything is asked for: those of the matrix, and those with long properties. */
const WHOLE = globSync('test/{proxy,conformance,unit}/**/*.test.ts', { cwd: import.meta.dirname }).filter((file) =>
  /kit\/(matrix|whole)\.ts/.test(readFileSync(`${import.meta.dirname}/${file}`, 'utf8')),
);

/** Nothing is left to the short run of `npm test`: each of these is run in whole, and nothing else is run again. */
export default defineConfig({
  test: {
    ...shared.test,
    projects: [
      { extends: true, test: { name: 'whole', include: WHOLE, isolate: false, env: { TEST_WHOLE: '1' } } },
      {
        extends: true,
        // What `npm test` runs over the lean transport only, as it takes long.
        test: { name: 'alone, general', include: ALONE, env: { TEST_GENERAL: '1' }, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
