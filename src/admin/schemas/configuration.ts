import {
  anything,
  component,
  count,
  described,
  listOf,
  mapOf,
  orNull,
  quantity,
  record,
  type Schema,
  text,
  time,
  truth,
  words,
} from '../schema.ts';

const mistake = {
  file: text,
  line: count,
  column: count,
  length: count,
  code: text,
  message: text,
  suggestion: orNull(text),
  notes: listOf(record({ file: text, line: count, column: count, message: text })),
};

/** What the gateway is configured to do, and reloads. */
export const configurationSchemas: Readonly<Record<string, Schema>> = {
  Config: record({
    config: described(
      { type: 'object', additionalProperties: anything },
      'As one writes it (headgate schema), every default filled in; what a variable filled in stands as it is written',
    ),
    origins: described(
      mapOf(text),
      'Where values are written (routes/shop.yaml:12), by JSON pointer of what files say; what is not here is a default',
    ),
  }),
  Route: record({
    name: text,
    at: described(text, 'Where it is written: routes/shop.yaml:12'),
    listeners: orNull(listOf(text)),
    match: described({ type: 'object', additionalProperties: anything }, 'Its conditions, as they are configured'),
    priority: { type: 'integer' },
    leadsTo: record(
      {
        kind: words('pool', 'split', 'redirect', 'respond', 'refuse'),
        pool: text,
        pools: listOf(record({ pool: text, weight: quantity })),
      },
      ['pool', 'pools'],
    ),
    maintenance: orNull(component('Outage')),
    quarantined: described(listOf(component('Quarantined')), 'What is wrong with it'),
  }),
  Outage: record({ since: time, retryAfterSeconds: count }),
  Maintenance: record({
    all: orNull(component('Outage')),
    routes: listOf(record({ route: text, since: time, retryAfterSeconds: count })),
  }),
  MaintenanceSet: record({
    route: orNull(text),
    maintenance: orNull(component('Outage')),
    changed: described(truth, 'It was otherwise before'),
  }),
  Diagnostic: record(mistake),
  OutOfService: record({
    kind: words('route', 'pool', 'certificate'),
    name: text,
    effect: words('kept', 'reduced', 'refused', 'left-out', 'never-chosen'),
    file: text,
    line: count,
    column: count,
    code: text,
    message: text,
  }),
  Quarantined: record({
    ...mistake,
    kind: words('route', 'pool', 'certificate'),
    name: text,
    effect: words('kept', 'reduced', 'refused', 'left-out', 'never-chosen'),
  }),
  Reload: record({
    at: time,
    by: record({ via: words('watch', 'signal', 'api', 'cli', 'program'), address: orNull(text) }),
    result: words('applied', 'refused'),
    tookMs: quantity,
    diagnostics: described(listOf(component('Diagnostic')), 'Why it was refused'),
    obstacle: orNull(described(text, 'Why it was refused, where that is not the configuration')),
    changes: orNull(
      record({
        routes: record({ added: count, removed: count, changed: count, reordered: count }),
        pools: record({ added: count, removed: count, changed: count }),
        listeners: record({ opened: listOf(text), changed: listOf(text), closed: listOf(text) }),
        needsRestart: described(listOf(text), 'Sections whose changes only count after a restart'),
        quarantined: listOf(component('Quarantined')),
      }),
    ),
  }),
  Plan: record({
    same: described(truth, 'Nothing would change'),
    routes: record({
      added: listOf(component('PlannedRoute')),
      removed: listOf(component('PlannedRoute')),
      changed: listOf(record({ name: text, at: text, keys: listOf(text) })),
      reordered: described(listOf(component('PlannedRoute')), 'Stand elsewhere among the others'),
      quarantined: listOf(record({ name: text, at: text, message: text })),
      moved: described(
        listOf(record({ request: text, from: orNull(text), to: orNull(text) })),
        'Requests that another route would take; the first 50',
      ),
    }),
    pools: record({
      added: listOf(text),
      removed: listOf(text),
      changed: listOf(
        record({
          name: text,
          keys: listOf(text),
          endpoints: record({ added: listOf(text), removed: listOf(text) }),
        }),
      ),
    }),
    listeners: record({
      opened: listOf(text),
      closed: listOf(text),
      changed: listOf(record({ name: text, keys: listOf(text), drains: truth })),
    }),
    quarantined: described(
      listOf(record({ kind: words('pool', 'certificate'), name: text, at: text, message: text })),
      'Pools and certificates that would be out of service, and are not now',
    ),
    sections: listOf(record({ section: text, keys: listOf(text) })),
    drained: listOf(record({ kind: words('listener', 'endpoint'), name: text, underWay: count })),
    needsRestart: listOf(text),
  }),
  PlannedRoute: record({ name: text, at: text }),
  NotPlanned: record({
    error: text,
    message: text,
    diagnostics: listOf(component('Diagnostic')),
    obstacle: orNull(text),
  }),
  NotReloaded: record({ error: text, message: text, report: component('Reload') }),
};
