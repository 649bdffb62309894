/**
 * Takes steps until one says that it was the last, one in each turn of the event loop, so that nothing waits for more than one of
 * them.
 */
export async function inSlices(step: () => 'more' | 'done'): Promise<void> {
  while (step() === 'more') await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
