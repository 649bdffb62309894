import type { Metrics } from './metrics.ts';

/** What became of the copies of one route's requests. */
export interface MirrorFigures {
  readonly route: string;
  readonly pool: string;
  readonly inFlight: number;
  readonly sent: number;
  /** By why, by class of status, and by why again. */
  readonly dropped: ReadonlyMap<string, number>;
  readonly answered: ReadonlyMap<string, number>;
  readonly failed: ReadonlyMap<string, number>;
}

type Entries = (readonly [names: readonly string[], count: number])[];

/** Adds the metrics of mirrors; `mirrors` is asked when somebody reads them. Labels: names of the configuration, enumerations. */
export function addMirrorMetrics(metrics: Metrics, mirrors: () => Iterable<MirrorFigures>): void {
  const counter = (
    name: string,
    help: string,
    label: string,
    counts: (of: MirrorFigures) => ReadonlyMap<string, number>,
  ) =>
    metrics.counter(name, {
      help,
      labels: ['route', 'pool', label],
      tally: { entries: () => [...mirrors()].flatMap((of) => entriesOf(of, counts(of))) },
    });
  metrics.counter('headgate_mirrored_total', {
    help: 'Copies of requests that were sent to another pool',
    labels: ['route', 'pool'],
    tally: { entries: () => [...mirrors()].map(({ route, pool, sent }) => [[route, pool], sent]) },
  });
  counter(
    'headgate_mirror_dropped_total',
    'Requests that were not copied although they should, by why',
    'reason',
    ({ dropped }) => dropped,
  );
  counter(
    'headgate_mirror_answered_total',
    'Copies that were answered, by class of status',
    'status',
    ({ answered }) => answered,
  );
  counter('headgate_mirror_failed_total', 'Copies that no answer came for, by why', 'reason', ({ failed }) => failed);
  metrics.gauge('headgate_mirror_in_flight', {
    help: 'Copies that are under way',
    labels: ['route', 'pool'],
    read: (set) => {
      for (const { route, pool, inFlight } of mirrors()) set({ route, pool }, inFlight);
    },
  });
}

function entriesOf({ route, pool }: MirrorFigures, counts: ReadonlyMap<string, number>): Entries {
  return [...counts].map(([name, count]) => [[route, pool, name], count]);
}
