import { hash } from 'node:crypto';

export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** RFC 7292 appendix B.3: what is derived from one password differs by what it is for. */
const PURPOSES = { key: 1, iv: 2, mac: 3 } as const;

/** Octets of a digest's output and of its block. */
const SIZES: Readonly<Record<DigestName, readonly [output: number, block: number]>> = {
  sha1: [20, 64],
  sha256: [32, 64],
  sha384: [48, 128],
  sha512: [64, 128],
};

export interface Derivation {
  /** As `bmpString` writes it. */
  readonly password: Buffer;
  readonly salt: Buffer;
  /** At least 1; the caller bounds it. */
  readonly iterations: number;
  readonly digest: DigestName;
  /** How many octets are wanted. */
  readonly bytes: number;
}

/** The key derivation of PKCS#12 (RFC 7292 appendix B.2). */
export function pkcs12Derive(purpose: keyof typeof PURPOSES, derivation: Derivation): Buffer {
  const { password, salt, iterations, digest: name, bytes } = derivation;
  const [output, block] = SIZES[name];
  const input = Buffer.concat([salt, password].map((part) => repeated(part, block * Math.ceil(part.length / block))));
  const diversifier = Buffer.alloc(block, PURPOSES[purpose]);
  const blocks: Buffer[] = [];
  for (let length = 0; length < bytes; length += output) {
    let digest = hash(name, Buffer.concat([diversifier, input]), 'buffer');
    for (let round = 1; round < iterations; round += 1) digest = hash(name, digest, 'buffer');
    blocks.push(digest);
    const addend = repeated(digest, block);
    for (let at = 0; at < input.length; at += block) addWithOne(input.subarray(at, at + block), addend);
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** A passphrase as a BMPString: UTF-16, big-endian, with a final zero (RFC 7292 appendix B.1). */
export function bmpString(passphrase: string): Buffer {
  return Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
}

function repeated(part: Buffer, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, part);
}

/** `target + addend + 1` modulo 2^(8 · length), in place. */
function addWithOne(target: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let i = target.length - 1; i >= 0; i -= 1) {
    carry += (target[i] as number) + (addend[i] as number);
    target[i] = carry & 0xff;
    carry >>= 8;
  }
}
