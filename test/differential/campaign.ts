import { type Case, literal } from './case.ts';
import { explained } from './known-differences.ts';
import { Bench, type Finding } from './run.ts';
import { shrink } from './shrink.ts';

/** A difference, made small. */
export interface Report {
  /** Where the case came from. */
  readonly label: string;
  readonly finding: Finding;
  readonly smallest: Case;
}

/** Runs cases, as many at a time as the bench has slots. Stops after `most` differences that nothing explains. */
export async function campaign(bench: Bench, cases: readonly Case[], most = 3): Promise<Report[]> {
  const reports: Report[] = [];
  for (let at = 0; at < cases.length && reports.length < most; at += bench.slots) {
    reports.push(...(await examine(bench, cases.slice(at, at + bench.slots), (index) => `case ${at + index}`)));
  }
  return reports;
}

/** Runs at most as many cases as the bench has slots. At most one report for each. */
export async function examine(
  bench: Bench,
  cases: readonly Case[],
  label: (index: number) => string,
): Promise<Report[]> {
  const reports: Report[] = [];
  for (const finding of await unexplained(bench, cases)) {
    const smallest = await smallestOf(bench, cases[finding.index] as Case, finding);
    reports.push({ label: label(finding.index), finding, smallest });
  }
  return reports;
}

/** For the reader: what differs, in the smallest case that shows it. */
export async function told(bench: Bench, { label, finding, smallest }: Report): Promise<string> {
  const [shown = finding] = await bench.differences([smallest]);
  const differences = shown.differences.map(({ aspect, text }) => `  ${aspect}:\n    ${text}`).join('\n');
  return `${label}, ${shown.variant.name}\n${literal(smallest)}\n${differences}`;
}

/** Differences that last and are not known. At most one for each case. */
async function unexplained(bench: Bench, cases: readonly Case[]): Promise<Finding[]> {
  const found = new Map<number, Finding>();
  for (const finding of await bench.differences(cases)) {
    if (found.has(finding.index) || explained(finding)) continue;
    if (await isThereAnew(finding)) found.set(finding.index, finding);
    else bench.passed(finding);
  }
  return [...found.values()];
}

/** On gateways that have run nothing before: a pool learns how long its endpoint keeps connections, and a known difference teaches it something else. */
async function isThereAnew({ one, variant }: Finding): Promise<boolean> {
  const fresh = await Bench.start([variant], 1);
  const [finding] = await fresh.differences([one]);
  return finding !== undefined && !explained(finding);
}

async function smallestOf(bench: Bench, wrong: Case, { variant, differences }: Finding): Promise<Case> {
  const aspectsOf = (finding: Pick<Finding, 'differences'>) => finding.differences.map(({ aspect }) => aspect).join();
  const aspects = aspectsOf({ differences });
  const stillWrong = async (cases: readonly Case[]): Promise<boolean[]> => {
    const found = (await bench.suspicions(cases)).filter(
      (each) => each.variant === variant && aspectsOf(each) === aspects && !explained(each),
    );
    return cases.map((_, index) => found.some((each) => each.index === index));
  };
  return shrink(wrong, stillWrong, { width: bench.slots, rounds: 150 });
}
