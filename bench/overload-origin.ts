/**
 * An origin that can do so much and no more: `node bench/overload-origin.ts PORT WORKERS SERVICE_MS`. As a pool of threads does, it takes whatever
 * comes, works on `WORKERS` requests at a time, and notices only when it answers that somebody has left.
 */
import { createServer, type ServerResponse } from 'node:http';

const [port, workers, serviceMs] = process.argv.slice(2).map(Number);
if (port === undefined || workers === undefined || serviceMs === undefined) {
  throw new Error('Give a port, a number of workers and a service time in milliseconds');
}

const waiting: ServerResponse[] = [];
let busy = 0;

function work(): void {
  while (busy < (workers as number) && waiting.length > 0) {
    const response = waiting.shift() as ServerResponse;
    busy += 1;
    setTimeout(() => {
      busy -= 1;
      response.end('x'.repeat(1024));
      work();
    }, serviceMs);
  }
}

createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  waiting.push(response);
  work();
}).listen(port, '127.0.0.1', 4096);
