import { printAbuse } from './abuse.ts';
import { printCrowd } from './crowd.ts';
import { printHalf } from './half.ts';
import { printHandshakes } from './handshake.ts';
import { printIdle } from './idle.ts';
import { printTable } from './report.ts';
import type { Results } from './results.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import { verdictsOn, verdictTable } from './verdicts.ts';
import { printWorkers } from './workers.ts';

/** As Markdown: a table for all that was measured, and what became of the targets. */
export function printResults(results: Results): void {
  for (const name of Object.keys(scenarios) as ScenarioName[])
    printTable(scenarios[name].title, results.scenarios[name]);
  printHalf(results.half);
  if (results.handshakes.length > 0) printHandshakes(results.handshakes);
  if (results.abuse.length > 0) printAbuse(results.abuse);
  printIdle(results.idle);
  printCrowd(results.crowd);
  printWorkers(results.workers);
  process.stdout.write(`\n### Targets\n\n${verdictTable(verdictsOn(results))}\n`);
}
