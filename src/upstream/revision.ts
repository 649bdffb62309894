/**
 * Counts the changes that matter to a choice among endpoints: who may take new work, and with which weight. A pool compares one
 * number at each pick and looks its endpoints over again only when it has moved. One for a gateway: nobody has to be told, so
 * nobody has to be forgotten.
 */
export class Revision {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  bump(): void {
    this.#value += 1;
  }
}
