import '../cli/v8-flags.ts';
import type { StartOrder, ToWorker } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { WorkerLife } from './worker-life.ts';

/** What the terminal or the service manager sends to every process of the group is the supervisor's to act on. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});

let life: WorkerLife | null = null;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') void begin(message.order);
  else life?.take(message);
});

// Nobody would ever tell it to stop: what it has begun is finished.
process.on('disconnect', () => void end());

async function begin(order: StartOrder): Promise<void> {
  try {
    life = await WorkerLife.begin(order);
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
