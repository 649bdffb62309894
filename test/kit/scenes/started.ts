import { loadConfig } from '../../../src/config/load.ts';
import { startLoaded } from '../gateway.ts';
import type { Scene } from '../scene.ts';

/** A gateway that was started with the configuration in `routes`, also where not all of it can be used. */
export async function scene(directory: string): Promise<Scene> {
  const before = process.cwd();
  // Places are told as they would be to who stands there.
  process.chdir(directory);
  const loaded = loadConfig('routes', {});
  process.chdir(before);
  const gateway = await startLoaded(loaded, { tolerance: 'start' });
  const { adminUrl } = gateway.gateway;
  return {
    environment: { HEADGATE_ADMIN: adminUrl },
    shown: [
      [new URL(gateway.url('http')).host, '127.0.0.1:8080'],
      [new URL(adminUrl).host, '127.0.0.1:4600'],
    ],
  };
}
