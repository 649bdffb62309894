import { expect, test } from 'vitest';
import { SecretSource, SeededSecrets } from '../../../src/control/common-secrets.ts';
import { RatchetSecrets } from '../../../src/control/tls/ticket-secrets.ts';

const HOUR = 3_600_000;

function hex(secrets: readonly Uint8Array[] | undefined): readonly string[] {
  return (secrets ?? []).map((secret) => Buffer.from(secret).toString('hex'));
}

test('processes with one seed have the same secrets, one for each purpose', () => {
  const source = new SecretSource(() => 0);
  const [first, second] = [new SeededSecrets(source.seed([]), () => 0), new SeededSecrets(source.seed([]), () => 0)];
  expect(first.of('affinity shop')).toBe(second.of('affinity shop'));
  expect(first.of('affinity shop')).not.toBe(first.of('affinity cart'));
  expect(first.of('affinity shop')).not.toBe(
    new SeededSecrets(new SecretSource(() => 0).seed([]), () => 0).of('affinity shop'),
  );
});

test('ticket secrets change at the same times in every process, also in one that begins later', () => {
  let now = 10.5 * HOUR;
  const clock = (): number => now;
  const source = new SecretSource(clock);
  const first = new SeededSecrets(source.seed([HOUR]), clock);
  const before = hex(first.tickets(HOUR)?.current());
  expect(before).toHaveLength(1);
  now = 12.1 * HOUR;
  const second = new SeededSecrets(source.seed([HOUR, 2 * HOUR]), clock);
  const after = hex(first.tickets(HOUR)?.current());
  expect(hex(second.tickets(HOUR)?.current())).toEqual(after);
  expect(after).toHaveLength(2);
  expect(after).not.toContain(before[0]);
  now = 13 * HOUR;
  expect(hex(second.tickets(HOUR)?.current())[1]).toBe(after[0]);
  expect(hex(first.tickets(HOUR)?.current())).toEqual(hex(second.tickets(HOUR)?.current()));
  expect(first.tickets(2 * HOUR)).toBeNull();
  first.learn(source.seed([2 * HOUR]).chains);
  expect(hex(first.tickets(2 * HOUR)?.current())).toEqual(hex(second.tickets(2 * HOUR)?.current()));
});

test('a chain that is handed on does not lead back, and a clock that is set back does not turn it', () => {
  let now = 5 * HOUR;
  const chain = new RatchetSecrets(RatchetSecrets.draw(HOUR, now), () => now);
  const begin = hex(chain.current());
  now = 8 * HOUR;
  expect(hex(chain.chain().secrets)).not.toContain(begin[0]);
  const later = hex(chain.current());
  now = 2 * HOUR;
  expect(hex(chain.current())).toEqual(later);
});

test('a clock that jumps ahead by a century costs a moment', () => {
  let now = 0;
  const draw = RatchetSecrets.draw(60_000, now);
  const [one, other] = [new RatchetSecrets(draw, () => now), new RatchetSecrets(draw, () => now)];
  now = 100 * 365 * 24 * HOUR;
  expect(hex(one.current())).toEqual(hex(other.current()));
});
