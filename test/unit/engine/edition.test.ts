import { expect, test } from 'vitest';
import { Edition } from '../../../src/engine/edition.ts';
import { alive } from '../../kit/garbage.ts';
import { snapshotOf } from '../../kit/scripted-engine.ts';

test('exchanges of a superseded edition keep nothing of its routes, however long they last', async () => {
  const { edition, table } = pinned();
  edition.supersede(() => {});
  expect(await alive([table])).toBe(0);
  expect(edition.exchanges).toBe(1);
});

test('an edition that serves keeps its routes', async () => {
  const { edition, table } = pinned();
  expect(await alive([table])).toBe(1);
  expect(edition.snapshot.listeners.size).toBe(1);
});

function pinned(): { readonly edition: Edition; readonly table: WeakRef<object> } {
  const config = { listeners: { web: { port: 80 } }, routes: [{ respond: { status: 200 } }] };
  const edition = new Edition(snapshotOf(config));
  edition.pin();
  return { edition, table: new WeakRef(edition.snapshot.listeners.get('web')?.table as object) };
}
