import { parentPort, workerData } from 'node:worker_threads';
import { loadConfig } from '../load.ts';
import type { LoadOrder } from './load-beside.ts';
import { piecesOf } from './pieces.ts';

// A thread that loads one configuration, and hands over a piece of it each time that it is asked for one; `null` after the last.
const { path, environment } = workerData as LoadOrder;
const pieces = piecesOf(loadConfig(path, environment));
parentPort?.on('message', () => {
  const piece = pieces.next();
  parentPort?.postMessage(piece.done === true ? null : piece.value);
  if (piece.done === true) parentPort?.close();
});
