/**
 * `make`, asked once per key object: checking, vetting and indexing a configuration ask for the same parts over and over. Keyed
 * by the part itself, so that answers go when the configuration goes; keys must not change.
 */
export function remembered<K extends object, V extends object>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key);
    if (value !== undefined) return value;
    const fresh = make(key);
    known.set(key, fresh);
    return fresh;
  };
}
