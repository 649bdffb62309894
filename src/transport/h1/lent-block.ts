/** As much as one read brings. */
const BLOCK_BYTES = 64 * 1024;

/** Smaller pieces are copied into memory of their own: somebody may keep them, and would keep a whole block with them. */
const LEAST_BYTES = 16 * 1024;

/** At most one lies here: between two reads nobody has it. */
let spare: Buffer | null = null;

export function isWorthLending(bytes: number): boolean {
  return bytes >= LEAST_BYTES && bytes <= BLOCK_BYTES;
}

/**
 * A copy of `bytes` from 0 to `length` for whoever is through with it when it returns, in a block that is used again and again: memory
 * of its own for each piece of a large body was a fifth of the CPU time of 100 KiB, and most of what the collector had to do.
 */
export function lend(bytes: Buffer, length: number): Buffer {
  const block = spare ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  spare = null;
  bytes.copy(block, 0, 0, length);
  return length === BLOCK_BYTES ? block : block.subarray(0, length);
}

/** Nobody holds any of it any more. A copy that is not given back is its holder's for ever. */
export function takeBack(copy: Buffer): void {
  spare = copy.length === BLOCK_BYTES ? copy : Buffer.from(copy.buffer, 0, BLOCK_BYTES);
}
