/** Where something has moved, as far as clients and endpoints see it. */
export class Activity {
  #count = 0;

  readonly noted = (): void => {
    this.#count += 1;
  };

  /**
   * Resolves when nothing has moved for `quietTurns` turns of the event loop. Everything is in this process and on the loopback
   * device, which delivers while it is written to: what one side sends, the other reads in the next turn. The longest way without a
   * visible event is the gateway's to a new connection, three turns.
   */
  async settle(quietTurns: number): Promise<void> {
    let quiet = 0;
    let before = this.#count;
    for (let turns = 0; quiet < quietTurns; turns += 1) {
      if (turns > 100_000) throw new Error('Something moves for ever');
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#count === before ? quiet + 1 : 0;
      before = this.#count;
    }
  }
}
