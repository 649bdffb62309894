import type { Metrics } from './metrics.ts';

/** The cache's disk as it is now, and its counts since the start. */
export interface CacheDiskFigures {
  readonly phase: string;
  readonly entries: number;
  readonly fileBytes: number;
  readonly headBytes: number;
  readonly queued: number;
  readonly openFiles: number;
  readonly counts: {
    readonly reads: number;
    readonly readBytes: number;
    readonly writes: number;
    readonly writtenBytes: number;
    readonly evictions: number;
    readonly declined: ReadonlyMap<string, number>;
    readonly corrupt: ReadonlyMap<string, number>;
    /** By operation and code, with a blank between them. */
    readonly errors: ReadonlyMap<string, number>;
  };
}

/** Adds the metrics of the cache's disk; `disk` is asked when somebody reads them. Labels: enumerations and codes of the system. */
export function addCacheDiskMetrics(metrics: Metrics, disk: CacheDiskFigures): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    metrics.gauge(name, { help, labels: [], read: (set) => set({}, read()) });
  const counter = (name: string, help: string, read: () => number): void =>
    metrics.counter(name, { help, labels: [], tally: { entries: () => [[[], read()] as const] } });
  const { counts } = disk;
  gauge('headgate_cache_disk_up', '1 while responses are written to the disk; 0 while it is not to be had', () =>
    disk.phase === 'scanning' || disk.phase === 'ready' ? 1 : 0,
  );
  gauge('headgate_cache_disk_bytes', 'Bytes of all stored responses on disk', () => disk.fileBytes);
  gauge('headgate_cache_disk_entries', 'Stored responses on disk, or on their way there', () => disk.entries);
  gauge('headgate_cache_disk_head_bytes', 'Memory for what is known of them', () => disk.headBytes);
  gauge('headgate_cache_disk_queue_length', 'Responses that wait to be written', () => disk.queued);
  gauge('headgate_cache_disk_open_files', 'Files that are being read', () => disk.openFiles);
  counter('headgate_cache_disk_reads_total', 'Segments of up to 64 KiB that were read', () => counts.reads);
  counter('headgate_cache_disk_read_bytes_total', 'Bytes of bodies that were read', () => counts.readBytes);
  counter('headgate_cache_disk_writes_total', 'Responses that were written', () => counts.writes);
  counter('headgate_cache_disk_written_bytes_total', 'Bytes of bodies that were written', () => counts.writtenBytes);
  counter('headgate_cache_disk_evictions_total', 'Responses that had to leave to make room', () => counts.evictions);
  metrics.counter('headgate_cache_disk_dropped_total', {
    help: 'Responses that were worth a write and were not written, by why',
    labels: ['reason'],
    tally: { entries: () => Array.from(counts.declined, ([why, count]) => [[why], count] as const) },
  });
  metrics.counter('headgate_cache_disk_corrupt_total', {
    help: 'Files that were not what was written, by what was wrong; none of them was served',
    labels: ['reason'],
    tally: { entries: () => Array.from(counts.corrupt, ([why, count]) => [[why], count] as const) },
  });
  metrics.counter('headgate_cache_disk_errors_total', {
    help: 'What the system refused, by operation and its code',
    labels: ['operation', 'code'],
    tally: { entries: () => Array.from(counts.errors, ([what, count]) => [what.split(' '), count] as const) },
  });
}
