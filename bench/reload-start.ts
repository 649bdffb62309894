import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBeside } from '../src/config/beside/load-beside.ts';
import { loadConfig } from '../src/config/load.ts';
import { type Gateway, startGateway } from '../src/gateway.ts';

/** As `headgate start` does it, without the process around it. */
export async function startLoadedFrom(path: string): Promise<Gateway> {
  const loaded = loadConfig(path, process.env);
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  return startGateway({
    config: loaded.config,
    origins: loaded.origins,
    source: { load: () => loadBeside({ path, environment: process.env }) },
    certificatesDirectory: join(tmpdir(), 'headgate-bench-certs'),
    logLevel: 'silent',
  });
}
