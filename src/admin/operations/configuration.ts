import {
  type MaintenanceResult,
  MOST_RETRY_AFTER_SECONDS,
  RETRY_AFTER_SECONDS,
} from '../../control/maintenance-control.ts';
import type { ReloadReport } from '../../control/reload.ts';
import { longJson } from '../long-json.ts';
import { type Answer, type Call, named, type Operation, ok } from '../operation.ts';
import type { Refusal } from '../refusal.ts';
import { component, described, listOf, record, truth } from '../schema.ts';

const maintenanceBody = record(
  {
    on: described(truth, 'Out of service: clients get 503'),
    retryAfter: {
      type: 'integer',
      minimum: 1,
      maximum: MOST_RETRY_AFTER_SECONDS,
      description: `Seconds, for Retry-After; ${RETRY_AFTER_SECONDS} unless given`,
    },
  },
  ['retryAfter'],
);

/** What the gateway is configured to do, and what an operator says beside that. */
export const configurationOperations: readonly Operation[] = [
  {
    id: 'config',
    method: 'GET',
    path: '/config',
    access: 'secret',
    summary: 'The configuration that is served, every default filled in, without secrets',
    tag: 'configuration',
    answers: { 200: { description: 'It, and where its values are written', schema: component('Config') } },
    run: async ({ desk }) => longJson(await desk.config()),
  },
  {
    id: 'routes',
    method: 'GET',
    path: '/routes',
    access: 'reading',
    summary: 'All routes, in the order in which they are tried',
    tag: 'configuration',
    answers: { 200: { description: 'The first that matches takes a request', schema: listOf(component('Route')) } },
    run: async ({ desk }) => longJson(await desk.routes()),
  },
  {
    id: 'reload',
    method: 'POST',
    path: '/reload',
    access: 'change',
    summary: 'Loads the configuration anew and serves by it, if it is sound',
    tag: 'configuration',
    body: record({}),
    answers: {
      200: { description: 'It serves', schema: component('Reload') },
      409: { description: 'It is sound, but something is in its way: a port in use', schema: component('NotReloaded') },
      422: { description: 'It has mistakes: the configuration before serves on', schema: component('NotReloaded') },
    },
    run: reload,
  },
  {
    id: 'plan',
    method: 'POST',
    path: '/plan',
    access: 'change',
    summary: 'What a reload would change now; nothing happens',
    tag: 'configuration',
    body: record({}),
    answers: {
      200: { description: 'What would change', schema: component('Plan') },
      409: { description: 'Something is in its way', schema: component('NotPlanned') },
      422: { description: 'It has mistakes', schema: component('NotPlanned') },
    },
    run: plan,
  },
  {
    id: 'reloads',
    method: 'GET',
    path: '/reloads',
    access: 'reading',
    summary: 'The last 50 reloads, oldest first',
    tag: 'configuration',
    answers: { 200: { description: 'How each went', schema: listOf(component('Reload')) } },
    run: async ({ desk }) => ok(await desk.reloads()),
  },
  {
    id: 'maintenance',
    method: 'GET',
    path: '/maintenance',
    access: 'reading',
    summary: 'What is out of service by hand',
    tag: 'configuration',
    answers: { 200: { description: 'All routes together, and single ones', schema: component('Maintenance') } },
    run: async ({ desk }) => ok((await desk.status()).maintenance),
  },
  {
    id: 'setMaintenance',
    method: 'PUT',
    path: '/maintenance',
    access: 'change',
    summary: 'Takes all routes out of service, or back; what single ones are set to stays',
    tag: 'configuration',
    body: maintenanceBody,
    answers: { 200: { description: 'How they are then', schema: component('MaintenanceSet') } },
    run: async (call) => setOutcome(await call.desk.setMaintenance(orderOf(call, null), call.by)),
  },
  {
    id: 'setRouteMaintenance',
    method: 'PUT',
    path: '/routes/{route}/maintenance',
    access: 'change',
    summary: 'Takes one route out of service, or back',
    tag: 'configuration',
    body: maintenanceBody,
    answers: { 200: { description: 'How it is then', schema: component('MaintenanceSet') } },
    refusals: { 404: 'There is no such route' },
    run: async (call) => setOutcome(await call.desk.setMaintenance(orderOf(call, named(call, 'route')), call.by)),
  },
];

function orderOf({ body }: Call, route: string | null) {
  const { on, retryAfter = RETRY_AFTER_SECONDS } = body as { readonly on: boolean; readonly retryAfter?: number };
  return { route, on, retryAfterSeconds: retryAfter };
}

function setOutcome(result: MaintenanceResult): Answer | Refusal {
  if (!result.ok) return { status: 404, error: result.reason, message: result.message, parameter: 'route' };
  const { route, outage, changed } = result;
  return ok({ route, maintenance: outage, changed });
}

async function reload({ desk, by }: Call): Promise<Answer | Refusal> {
  const report = await desk.reload({ via: by.via, address: by.address });
  if (report.result === 'applied') return ok(report);
  const details = { report };
  if (report.obstacle !== null) return { status: 409, error: 'reload-obstructed', message: report.obstacle, details };
  return { status: 422, error: 'configuration-refused', message: mistakesOf(report), details };
}

async function plan({ desk }: Call): Promise<Answer | Refusal> {
  const report = await desk.plan();
  if (report.result === 'planned') return ok(report.plan);
  const { diagnostics, obstacle } = report;
  const details = { diagnostics, obstacle };
  if (obstacle !== null) return { status: 409, error: 'reload-obstructed', message: obstacle, details };
  return { status: 422, error: 'configuration-refused', message: mistakesOf(report), details };
}

function mistakesOf({ diagnostics }: Pick<ReloadReport, 'diagnostics'>): string {
  const [first, ...more] = diagnostics;
  if (first === undefined) return 'The configuration was refused';
  const rest = more.length === 0 ? '' : `, and ${more.length} more`;
  return `The configuration has mistakes: ${first.message} (${first.file}:${first.line}:${first.column})${rest}`;
}
