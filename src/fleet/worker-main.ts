import '../cli/v8-flags.ts';
import type { Standing, StartOrder, ToWorker } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { WorkerLife } from './worker-life.ts';

/** What the terminal or the service manager sends to every process of the group is the supervisor's to act on. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});

let life: WorkerLife | null = null;
const opened = Promise.withResolvers<Standing>();
let isOpened = false;
/** What came while listeners were being opened: a few questions. */
const waiting: Told[] = [];

type Told = Parameters<WorkerLife['take']>[0];

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') void begin(message.order);
  else if (message.kind === 'open') {
    isOpened = true;
    opened.resolve(message);
  } else if (life === null) waiting.push(message);
  else life.take(message);
});

// Nobody would ever tell it to stop: what it has begun is finished.
process.on('disconnect', () => {
  if (!isOpened) process.exit(1);
  void end();
});

async function begin(order: StartOrder): Promise<void> {
  try {
    life = await WorkerLife.begin(order, opened.promise);
    for (const message of waiting.splice(0)) life.take(message);
    if (!process.connected) await end();
  } catch (error) {
    // The exit waits until it is told.
    process.send?.({ kind: 'refused', refusal: refusalOf(error) }, () => process.exit(1));
    if (!process.connected) process.exit(1);
  }
}

async function end(): Promise<void> {
  await life?.end();
  if (life !== null) process.exit(0);
}
