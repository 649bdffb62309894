import type { Machine, Step } from './machine.ts';
import { type Authority, commandLines, type Plan, type TrustStore } from './store.ts';
import { trustStores } from './stores.ts';

export type Wanted = 'trusted' | 'not trusted';

/** How it went with one store. */
export type Outcome =
  /** It was as it should be. */
  | 'unchanged'
  | 'changed'
  /** Nothing was done: it takes root. */
  | 'needs-root'
  /** Nothing was done: something is missing on this machine. */
  | 'unable'
  | 'failed'
  /** Nothing was done, because nobody wanted it done. */
  | 'planned';

export interface StoreReport {
  readonly store: string;
  readonly label: string;
  readonly outcome: Outcome;
  /** For a shell. */
  readonly commands: readonly string[];
  /** Why, of what could not be done. */
  readonly reason: string | null;
}

export interface Change {
  readonly machine: Machine;
  /** `null`, only to untrust: there is none any more. */
  readonly authority: Authority | null;
  readonly wanted: Wanted;
  readonly dryRun: boolean;
  /** Hears of every store before anything is done. */
  announce(planned: readonly StoreReport[]): void;
}

/** Makes every store of the machine as it is wanted, announces what it will do first, and looks afterwards whether it is so. */
export async function change(options: Change): Promise<StoreReport[]> {
  const { machine, authority, wanted, dryRun } = options;
  const stores = await trustStores(machine, authority);
  const planned = stores.map((store) => ({ store, plan: planFor(store, authority, wanted) }));
  const reports = planned.map(({ store, plan }) => reportOf(store, plan, machine));
  options.announce(reports);
  if (dryRun) return reports;
  const failures = new Map<string, string>();
  for (const { store, plan } of planned) {
    if (plan.kind !== 'steps' || mustWait(plan, machine)) continue;
    const failure = await runAll(plan.steps, machine);
    if (failure !== null) failures.set(store.id, failure);
  }
  const after = await trustStores(machine, authority);
  return reports.map((report) => {
    if (report.outcome !== 'planned') return report;
    const reason =
      failures.get(report.store) ??
      stillWrong(
        after.find(({ id }) => id === report.store),
        wanted,
      );
    return { ...report, outcome: reason === null ? 'changed' : 'failed', reason };
  });
}

function planFor(store: TrustStore, authority: Authority | null, wanted: Wanted): Plan {
  if (wanted === 'not trusted') return store.planUntrust();
  if (authority === null || store.trusted) return { kind: 'nothing' };
  return store.planTrust(authority);
}

function reportOf(store: TrustStore, plan: Plan, machine: Machine): StoreReport {
  return {
    store: store.id,
    label: store.label,
    outcome: outcomeBefore(plan, machine),
    commands: commandLines(plan, machine.isRoot),
    reason: plan.kind === 'unable' ? plan.reason : null,
  };
}

function outcomeBefore(plan: Plan, machine: Machine): Outcome {
  if (plan.kind === 'nothing') return 'unchanged';
  if (plan.kind === 'unable') return 'unable';
  return mustWait(plan, machine) ? 'needs-root' : 'planned';
}

function mustWait(plan: Plan, machine: Machine): boolean {
  return plan.kind === 'steps' && plan.needsRoot && !machine.isRoot;
}

/** Stops at the first step that fails, and returns what it said. */
async function runAll(steps: readonly Step[], machine: Machine): Promise<string | null> {
  for (const step of steps) {
    const { code, stdout, stderr } = await machine.run(step);
    if (code === 0) continue;
    const said = (stderr.trim() || stdout.trim()).split('\n').slice(-3).join(' ');
    return `${step[0]} ended with ${code ?? 'a signal'}${said === '' ? '' : `: ${said}`}`;
  }
  return null;
}

/** A command that says it did it is not yet a store that has it. */
function stillWrong(store: TrustStore | undefined, wanted: Wanted): string | null {
  if (store === undefined) return 'the store is gone';
  if (wanted === 'trusted') return store.trusted ? null : 'all commands succeeded, but it is not trusted';
  return store.planUntrust().kind === 'nothing' ? null : 'all commands succeeded, but it is still there';
}
