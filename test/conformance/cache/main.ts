// npm run conformance:cache: the public HTTP cache suite against this checkout, on the system's clock.
import { counts, runConformance, surprises } from './conformance.ts';
import { expectedFailures } from './expected.ts';
import { realPace } from './pace.ts';

const results = await runConformance(realPace());
const order = { required: 0, optimal: 1, check: 2 };
const failed = results
  .filter(({ failure }) => failure !== null)
  .sort((a, b) => order[a.kind] - order[b.kind] || (a.id < b.id ? -1 : 1));

const labels = ['required', 'optimal', 'behaviour'];
console.log(
  `http-cache-tests: ${counts(results)
    .map(({ met, all }, i) => `${met} of ${all} ${labels[i]}`)
    .join(', ')}`,
);
for (const { id, kind, failure } of failed) {
  console.log(`${kind} ${id}: ${failure}`);
  console.log(`  ${expectedFailures.get(id) ?? 'NOT EXPECTED'}`);
}
const unexpected = surprises(results);
for (const line of unexpected) console.error(`not as expected: ${line}`);
process.exitCode = unexpected.length === 0 ? 0 : 1;
