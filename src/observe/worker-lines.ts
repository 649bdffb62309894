import type { LogSink } from './log.ts';

/** What a line of each format of JSON gets at its end. ECS has `labels` for what its users add: keywords, by name. */
const MARKS = {
  json: (worker: number) => `,"worker":${worker}}\n`,
  ecs: (worker: number) => `,"labels":{"worker":"${worker}"}}\n`,
} as const;

/** A sink for lines of JSON, each of which says which of several processes has written it. */
export function workerLines<S extends LogSink>(sink: S, format: keyof typeof MARKS, worker: number): S {
  const mark = MARKS[format](worker);
  // A line ends with the bracket of its object and a line end.
  return { ...sink, write: (line: string) => sink.write(line.slice(0, -2) + mark) };
}
