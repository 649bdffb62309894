import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';
import { type Ending, Spawned, type SpawnOptions } from './spawned.ts';

/** The root of the checkout. */
export const CHECKOUT = resolve(import.meta.dirname, '../../..');
export const MAIN = join(CHECKOUT, 'src/main.ts');

/** A gateway in a process of its own, started and ready. */
export class GatewayProcess {
  readonly process: Spawned;
  /** Base URLs as the banner names them: HTTPS first. */
  readonly urls: readonly string[];
  readonly adminUrl: string;
  readonly #directory: string;

  private constructor(child: Spawned, directory: string, banner: Banner) {
    this.process = child;
    this.#directory = directory;
    this.urls = banner.urls;
    this.adminUrl = banner.adminUrl;
  }

  /** Runs `node src/main.ts` with `args` in `directory`, where its certificates go too; resolves when the banner is there. */
  static async run(args: readonly string[], directory: string): Promise<GatewayProcess> {
    const env = { HEADGATE_CERTS: undefined, HEADGATE_CONFIG: undefined, XDG_DATA_HOME: directory, NO_COLOR: '1' };
    return GatewayProcess.spawn(process.execPath, [MAIN, ...args], { cwd: directory, env });
  }

  /** Any command that ends up as a gateway. */
  static async spawn(program: string, args: readonly string[], options: SpawnOptions): Promise<GatewayProcess> {
    const child = new Spawned(program, args, options);
    try {
      return new GatewayProcess(child, options.cwd, await bannerOf(child));
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** Writes `config` into `directory` and starts on it. Ports may be 0; the admin listener's is, unless given. */
  static async start(config: ConfigInput, directory: string): Promise<GatewayProcess> {
    const file = join(directory, 'gateway.yaml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ ...config, admin: { port: 0, ...config.admin } }, null, 2));
    return GatewayProcess.run(['start', '-c', file], directory);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Port of the first listener with that scheme. */
  port(scheme: 'http' | 'https'): number {
    const url = this.urls.find((candidate) => candidate.startsWith(`${scheme}:`));
    if (url === undefined) throw new Error(`The gateway has no ${scheme} listener`);
    return Number(new URL(url).port);
  }

  /** PEM of the local CA that signs what it shows. */
  authority(): string {
    return readFileSync(this.authorityFile, 'utf8');
  }

  get authorityFile(): string {
    const line = this.process.stderr.lines.find((candidate) => candidate.includes('ca.pem'));
    const named = line === undefined ? null : /[^\s'"]*ca\.pem/.exec(line);
    return resolve(this.#directory, named === null ? 'certs/ca.pem' : named[0]);
  }

  async status(): Promise<GatewayStatus> {
    const reply = await fetch(`${this.adminUrl}/status`);
    return (await reply.json()) as GatewayStatus;
  }

  /** Requests that the gateway counts as in flight at endpoints. */
  async inFlight(): Promise<number> {
    const { pools } = await this.status();
    return pools.flatMap(({ endpoints }) => endpoints).reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** What it wrote about failures of its own: none is the only good answer. */
  complaints(): string[] {
    const lines = [...this.process.stdout.lines, ...this.process.stderr.lines];
    return lines.filter((line) =>
      /"end":"bug"|"level":(50|60)|uncaught|unhandled|^\s+at .*:\d+:\d+|Warning:/i.test(line),
    );
  }

  /** SIGTERM, and how it ended. */
  async terminate(): Promise<Ending> {
    this.process.signal('SIGTERM');
    return this.process.ended;
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

interface Banner {
  readonly urls: readonly string[];
  readonly adminUrl: string;
}

/** Several workers on two busy cores. */
const START_MS = 60_000;

async function bannerOf(child: Spawned): Promise<Banner> {
  const dashboard = await child.stderr.line(/➜\s+Dashboard\s+http/, START_MS);
  const adminUrl = /http:\/\/[^\s/]+/.exec(dashboard)?.[0] ?? '';
  const urls = child.stderr.lines
    .filter((line) => line.includes('➜') && line !== dashboard)
    .flatMap((line) => /https?:\/\/[^\s/]+/.exec(line)?.[0] ?? []);
  return { urls, adminUrl };
}
