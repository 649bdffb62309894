import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/**
 * A UUIDv7 (RFC 9562 §5.7): sorts by time, unguessable in its last 62 bits. Random bytes are drawn 4 KiB at a time, because
 * a call into the kernel per request would cost more than everything else here.
 */
export function newRequestId(epochMs: number): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const time = Math.floor(epochMs).toString(16).padStart(12, '0');
  const random = pool.toString('hex', used, used + 10);
  const variant = VARIANT[(pool[used + 9] as number) & 3] as string;
  used += 10;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** RFC 9562 §4.1: the two top bits of the variant nibble are 10. */
const VARIANT = ['8', '9', 'a', 'b'];
