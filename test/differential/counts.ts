import type { FamilyReading } from '../../src/observe/family.ts';

/** About the process, the machine or the time of the day. */
const OF_THE_PROCESS =
  /^(?:process_|nodejs_)|event_loop|timestamp|_delay|_age|build_info|start_time|memory|config_|overload/;

/** A line for each count of requests, connections and their ends, with what it says; ports of endpoints are left out. */
export function counts(families: readonly FamilyReading[]): Set<string> {
  const lines = families
    .filter(({ name }) => !OF_THE_PROCESS.test(name))
    .flatMap(({ name, series }) => [...series].map((each) => `${name} ${JSON.stringify(each)}`));
  return new Set(lines.map((line) => line.replace(/127\.0\.0\.1:\d+/g, '<endpoint>')));
}
