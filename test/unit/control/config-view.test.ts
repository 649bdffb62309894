import { expect, test } from 'vitest';
import { effective } from '../../../src/config/effective.ts';
import { effectiveData } from '../../../src/config/effective-yaml.ts';
import { configFromObject, loadConfig, servable } from '../../../src/config/load.ts';
import { withoutSecrets } from '../../../src/config/secret-values.ts';
import { configView } from '../../../src/control/config-view.ts';

function loaded(routes: number) {
  const result = configFromObject({
    pools: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`p${i}`, { endpoints: [`127.0.0.1:${i + 1}`] }])),
    routes: Array.from({ length: routes }, (_, i) => ({ name: `r${i}`, match: { path: `/${i}` }, pool: `p${i % 20}` })),
    drainTimeout: '5s',
  });
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return result;
}

test('a configuration is shown as a whole, though it is made piece by piece', async () => {
  for (const routes of [0, 1, 8, 9, 30]) {
    const { origins } = loaded(routes);
    const view = await configView(origins);
    expect(view.config).toEqual(effectiveData(withoutSecrets(effective(origins.root))));
    expect(Object.keys(view.origins).filter((pointer) => /^\/routes\/\d+\/name$/.test(pointer))).toHaveLength(routes);
    expect(view.origins).toHaveProperty('/drainTimeout');
    expect(view.origins).not.toHaveProperty('/cache/size');
    if (routes > 0) expect(view.origins).toHaveProperty(`/routes/${routes - 1}/match/path`);
  }
});

test('others get their turn while a large one is made', async () => {
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await configView(loaded(400).origins);
  done = true;
  expect(turns).toBeGreaterThan(50);
});

test('what is quarantined is shown as it is written', async () => {
  const part = servable(loadConfig('test/kit/scenes/broken-shop/routes', {}));
  if (part === null) throw new Error('Nothing of it could serve');
  const { config } = await configView(part.origins);
  expect(config['routes']).toHaveLength(part.config.routes.length);
});
