/** Numbers of which each process has a part. Whatever else is a number is the same in all, and the first's is taken. */
const SUMMED = new Set([
  ...['connections', 'inFlight', 'open', 'busy', 'queued', 'sessions'],
  ...['opened', 'reused', 'retired', 'racesLost', 'refused', 'hedgesWon', 'left', 'served', 'waitedMs'],
  ...['trips', 'refusals', 'attempts', 'ejections', 'inARow'],
  ...['entries', 'bytes', 'arriving', 'arrivingBytes', 'waiting', 'evictions', 'refreshing', 'count'],
  ...['requests', 'bytesFromStore', 'bytesFromUpstream', 'stored', 'filling'],
]);

/** Maps from an enumerated name to a count. */
const SUMMED_MAPS = new Set(['made', 'refused', 'failures', 'results', 'notStored', 'bypassed']);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What the members of a list are known by. */
const IDENTITIES = ['name', 'route', 'origin', 'source', 'kind'] as const;

/**
 * What several processes say of themselves as one thing that a single process could have said: counts are summed, members of lists are put together
 * by name, and of what is the same in all, or each one's own judgement, the first's is taken.
 */
export function merged<T>(all: readonly [T, ...T[]]): T {
  return mergeValues(all, { key: '', summed: false }) as T;
}

interface Context {
  readonly key: string;
  readonly summed: boolean;
}

function mergeValues(all: readonly unknown[], context: Context): unknown {
  const given = all.filter((value) => value !== null && value !== undefined);
  const [first] = given;
  if (first === undefined) return all[0];
  if (typeof first === 'number') {
    return context.summed || SUMMED.has(context.key)
      ? given.reduce<number>((sum, value) => sum + (typeof value === 'number' ? value : 0), 0)
      : first;
  }
  if (Array.isArray(first)) return mergeLists(given.filter(Array.isArray), context);
  if (typeof first !== 'object') return first;
  const objects = given.filter(isObject);
  const keys = new Set(objects.flatMap((object) => Object.keys(object)));
  const summed = SUMMED_MAPS.has(context.key);
  return Object.fromEntries(
    Array.from(keys, (key) => [
      key,
      mergeValues(
        objects.map((object) => object[key]),
        { key, summed },
      ),
    ]),
  );
}

function mergeLists(lists: readonly (readonly unknown[])[], context: Context): readonly unknown[] {
  const byName = new Map<string, unknown[]>();
  for (const member of lists.flat()) {
    const name = nameOf(member);
    // Plain values: the lists are the same.
    if (name === null) return lists[0] ?? [];
    byName.set(name, [...(byName.get(name) ?? []), member]);
  }
  return Array.from(byName.values(), (members) => mergeValues(members, context));
}

function nameOf(member: unknown): string | null {
  if (typeof member !== 'object' || member === null) return null;
  const names = IDENTITIES.flatMap((key) => {
    const value = (member as Readonly<Record<string, unknown>>)[key];
    return typeof value === 'string' ? [value] : [];
  });
  return names.length === 0 ? JSON.stringify(member) : JSON.stringify(names);
}
