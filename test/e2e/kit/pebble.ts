import { writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { certificateFor } from '../../kit/certificate.ts';
import { deadPort } from '../../kit/origin.ts';
import { requirePrograms } from './programs.ts';
import { Spawned } from './spawned.ts';

export interface PebbleOptions {
  /** Percentage of good nonces that it calls bad. Default 0. */
  readonly badNonces?: number;
  /** MAC key, base64url, of the external account `kid-1`; one is asked for then. */
  readonly externalAccount?: string;
}

/** Pebble, the test authority of RFC 8555, with a DNS server for which every name is this machine. */
export class Pebble {
  readonly directoryUrl: string;
  /** PEM file of the authority that vouches for its own server. */
  readonly caFile: string;
  /** Where it looks for http-01 answers. */
  readonly httpPort: number;
  /** Where it looks for tls-alpn-01 answers. */
  readonly tlsPort: number;
  readonly #processes: readonly Spawned[];
  readonly #management: { readonly port: number; readonly ca: string };

  private constructor(parts: {
    ports: Ports;
    ca: string;
    caFile: string;
    processes: readonly Spawned[];
  }) {
    this.directoryUrl = `https://localhost:${parts.ports.acme}/dir`;
    this.caFile = parts.caFile;
    this.httpPort = parts.ports.http;
    this.tlsPort = parts.ports.tls;
    this.#processes = parts.processes;
    this.#management = { port: parts.ports.management, ca: parts.ca };
  }

  /** Starts it with its files in `directory`; resolves when it answers. */
  static async start(directory: string, options: PebbleOptions = {}): Promise<Pebble> {
    const programs = requirePrograms('pebble', 'pebble-challtestsrv');
    const ports = await freePorts();
    const own = await certificateFor(['localhost', '127.0.0.1']);
    const caFile = join(directory, 'pebble.pem');
    writeFileSync(caFile, own.cert);
    writeFileSync(join(directory, 'pebble-key.pem'), own.key);
    writeFileSync(join(directory, 'pebble.json'), JSON.stringify(configuration(ports, options)));
    const dns = `127.0.0.1:${ports.dns}`;
    const names = new Spawned(programs['pebble-challtestsrv'], nameServer(ports), { cwd: directory });
    const args = ['-config', 'pebble.json', '-dnsserver', dns, '-strict'];
    const env = {
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_AUTHZREUSE: '0',
      PEBBLE_WFE_NONCEREJECT: String(options.badNonces ?? 0),
    };
    const pebble = new Spawned(programs.pebble, args, { cwd: directory, env });
    const started = new Pebble({ ports, ca: own.cert, caFile, processes: [pebble, names] });
    try {
      await pebble.stdout.line(/ACME directory available/);
      await names.stdout.line(/Starting management server/);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  /** PEM of the root that its certificates lead to. */
  root(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = get({ ...this.#management, host: 'localhost', path: '/roots/0' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    return promise;
  }

  /** How often its log says `pattern`. */
  count(pattern: RegExp): number {
    return this.#processes[0]?.stdout.lines.filter((line) => pattern.test(line)).length ?? 0;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) await child.stop();
  }
}

interface Ports {
  readonly acme: number;
  readonly management: number;
  readonly http: number;
  readonly tls: number;
  readonly dns: number;
  readonly dnsManagement: number;
}

async function freePorts(): Promise<Ports> {
  const [acme = 0, management = 0, http = 0, tls = 0, dns = 0, dnsManagement = 0] = await Promise.all(
    Array.from({ length: 6 }, () => deadPort()),
  );
  return { acme, management, http, tls, dns, dnsManagement };
}

function configuration(ports: Ports, { externalAccount }: PebbleOptions): object {
  return {
    pebble: {
      listenAddress: `127.0.0.1:${ports.acme}`,
      managementListenAddress: `127.0.0.1:${ports.management}`,
      certificate: 'pebble.pem',
      privateKey: 'pebble-key.pem',
      httpPort: ports.http,
      tlsPort: ports.tls,
      ocspResponderURL: '',
      externalAccountBindingRequired: externalAccount !== undefined,
      externalAccountMACKeys: externalAccount === undefined ? {} : { 'kid-1': externalAccount },
      certificateValidityPeriod: 90 * 86_400,
    },
  };
}

/** Every name is 127.0.0.1; challenges are Headgate's to answer. */
function nameServer({ dns, dnsManagement }: Ports): string[] {
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  const names = ['-dns01', `127.0.0.1:${dns}`, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
  return [...off, ...names, '-management', `127.0.0.1:${dnsManagement}`];
}
