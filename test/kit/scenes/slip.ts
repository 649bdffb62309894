import { loadConfig } from '../../../src/config/load.ts';
import { startTestGateway } from '../gateway.ts';
import type { Scene } from '../scene.ts';

/** A gateway that runs, and the files that it was started with, in which somebody has slipped since. */
export async function scene(directory: string): Promise<Scene> {
  const gateway = await startTestGateway({ listeners: { http: { port: 0 } }, routes: [{ name: 'shop', respond: {} }] });
  const before = process.cwd();
  process.chdir(directory);
  gateway.found(loadConfig('routes', {}));
  process.chdir(before);
  return { environment: { HEADGATE_ADMIN: gateway.gateway.adminUrl } };
}
