import { startLoadedFrom } from './reload-start.ts';

/** A gateway that reloads when its parent says so, and answers how long that took and how long the event loop was held up by it. */
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Usage: reload-gateway.ts FILE');
const gateway = await startLoadedFrom(file);

process.on('message', (message) => {
  if (message === 'stop') void gateway.close().then(() => process.disconnect?.());
  else void reload();
});
process.send?.('ready');

async function reload(): Promise<void> {
  const turns = new Turns();
  const { result, tookMs } = await gateway.reload();
  process.send?.({ result, tookMs, longestTurnMs: turns.stop() });
}

/** The most CPU time of this thread between two turns of the event loop: time on the wall would count who else is on the machine. */
class Turns {
  #longestUs = 0;
  #lastUs = cpuUs();
  #running = true;

  constructor() {
    this.#next();
  }

  stop(): number {
    this.#running = false;
    this.#look();
    return this.#longestUs / 1_000;
  }

  #next(): void {
    setImmediate(() => {
      if (!this.#running) return;
      this.#look();
      this.#next();
    });
  }

  #look(): void {
    const now = cpuUs();
    this.#longestUs = Math.max(this.#longestUs, now - this.#lastUs);
    this.#lastUs = now;
  }
}

function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
