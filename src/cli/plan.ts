import type { Diagnostic } from '../config/config-error.ts';
import { planSteps } from '../control/plan/make-plan.ts';
import type { Plan, PlannedRoute } from '../control/plan/plan.ts';
import { atOnce } from '../control/slices.ts';
import { drainsListener } from '../gateway/listener-options.ts';
import { ONCE } from '../gateway/serving.ts';
import type { AdminPlace } from './admin-arguments.ts';
import { plain } from './admin-outcome.ts';
import type { Io } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface PlanOptions {
  /** Configuration to compare with, in place of the one that a running gateway serves by. */
  readonly from: string | null;
  /** Of the proposed configuration, where no gateway is asked. */
  readonly path: string;
  readonly place: AdminPlace;
  readonly json: boolean;
}

/** `headgate plan`: asks the running gateway what a reload would change, or compares two configurations here. */
export async function showPlan(options: PlanOptions, io: Io): Promise<ExitCode> {
  return options.from === null ? planOfGateway(options, io) : planOfFiles(options.from, options, io);
}

async function planOfFiles(from: string, { path, json }: PlanOptions, io: Io): Promise<ExitCode> {
  const { withConfiguration } = await import('./with-configuration.ts');
  const code = await withConfiguration({ path: from, json }, io, (before, was) =>
    withConfiguration({ path, json }, io, (next, will) => {
      const context = { once: ONCE, live: null, drains: drainsListener, requests: true };
      const sides = [
        { ...before, compiled: was },
        { ...next, compiled: will },
      ] as const;
      const plan = atOnce(planSteps(...sides, context));
      io.stdout.write(json ? `${JSON.stringify(plan)}\n` : planText(plan));
      return exitCodes.ok;
    }),
  );
  return code as ExitCode;
}

async function planOfGateway({ place, json }: PlanOptions, io: Io): Promise<ExitCode> {
  const [{ accessTo }, { askAdmin }, { answered }, { refusedConfiguration }] = await Promise.all([
    import('./admin-access.ts'),
    import('./admin-client.ts'),
    import('./admin-outcome.ts'),
    import('./refused-configuration.ts'),
  ]);
  const { stdout, stderr } = io;
  const asked = { method: 'POST', path: '/plan', body: {}, patienceMs: PATIENCE_MS } as const;
  return answered(() => askAdmin(accessTo(place, io), asked), {
    ...{ stdout, stderr, json },
    text: (body) => planText(body as Plan),
    refused: ({ status, body }) =>
      status === 422
        ? refusedConfiguration((body as { readonly diagnostics: readonly Diagnostic[] }).diagnostics, stderr)
        : null,
  });
}

/** Loading thousands of routes takes seconds. */
const PATIENCE_MS = 60_000;

/** Signs and words in columns, then who drains, then a sentence. Ends with a line end. */
export function planText(plan: Plan): string {
  if (plan.same) return 'Nothing would change.\n';
  const rows = [
    ...routeRows(plan),
    ...poolRows(plan),
    ...listenerRows(plan),
    ...outageRows(plan),
    ...sectionRows(plan),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => plain(cell).padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  const moved = plan.routes.moved.map(
    ({ request, from, to }) => `  → ${plain(request)}  goes to ${to ?? 'no route'} instead of ${from ?? 'none'}`,
  );
  const drained = plan.drained.map(
    ({ kind, name, underWay }) =>
      `  ${kind} ${name} drains: ${underWay} ${kind === 'listener' ? 'connections' : 'requests'} under way`,
  );
  const restart = plan.needsRestart.length === 0 ? [] : [`  ${plan.needsRestart.join(', ')}: only after a restart`];
  return `${[...lines, ...moved, ...drained, ...restart, 'Nothing was changed.'].join('\n')}\n`;
}

type Row = readonly [sign: string, what: string, where: string, more: string];

function routeRows({ routes }: Plan): Row[] {
  const rows = (sign: string, list: readonly PlannedRoute[], more = ''): Row[] =>
    list.map(({ name, at }) => [sign, `route ${name}`, at === name ? '' : at, more]);
  return [
    ...rows('+', routes.added),
    ...rows('-', routes.removed),
    ...routes.changed.flatMap((route) => rows('~', [route], route.keys.join(', '))),
    ...rows('↕', routes.reordered, 'stands elsewhere among the others'),
    ...routes.quarantined.flatMap((route) => rows('!', [route], route.message)),
  ];
}

function poolRows({ pools }: Plan): Row[] {
  return [
    ...pools.added.map((name): Row => ['+', `pool ${name}`, '', '']),
    ...pools.removed.map((name): Row => ['-', `pool ${name}`, '', '']),
    ...pools.changed.map(({ name, keys, endpoints }): Row => {
      const moves = [...endpoints.added.map((place) => `+${place}`), ...endpoints.removed.map((place) => `-${place}`)];
      return ['~', `pool ${name}`, '', [keys.join(', '), ...moves].join('  ')];
    }),
  ];
}

function listenerRows({ listeners }: Plan): Row[] {
  return [
    ...listeners.opened.map((name): Row => ['+', `listener ${name}`, '', '']),
    ...listeners.closed.map((name): Row => ['-', `listener ${name}`, '', '']),
    ...listeners.changed.map(({ name, keys, drains }): Row => {
      return ['~', `listener ${name}`, '', drains ? `${keys.join(', ')}  (its connections drain)` : keys.join(', ')];
    }),
  ];
}

function outageRows({ quarantined }: Plan): Row[] {
  return quarantined.map(({ kind, name, at, message }): Row => ['!', `${kind} ${name}`, at, message]);
}

function sectionRows({ sections }: Plan): Row[] {
  return sections.map(({ section, keys }): Row => ['~', section, '', keys.join(', ')]);
}
