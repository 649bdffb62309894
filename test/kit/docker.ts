import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

export interface Container {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** By network. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Default none. */
  readonly ports?: readonly number[];
  /** Default: it has no health check. */
  readonly health?: 'healthy' | 'unhealthy' | 'starting';
  /** Default `running`. */
  readonly state?: 'running' | 'paused';
}

/** Starts a Docker engine of containers that do not exist, on a Unix socket. Closed after the test. */
export async function docker(containers: readonly Container[] = []): Promise<Docker> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-docker-'));
  const started = new Docker(join(directory, 'docker.sock'), containers);
  stopAfterTest(async () => {
    await started.close();
    await rm(directory, { recursive: true, force: true });
  });
  await started.listen();
  return started;
}

/** The part of the Engine API that is read: `GET /containers/json` and `GET /events`, as version 1.43 says them. */
export class Docker {
  readonly socket: string;
  /** `GET /containers/json` and the like, without queries. */
  readonly requests: string[] = [];
  /** In place of a list of containers. */
  broken: { readonly status: number; readonly body: string } | null = null;
  readonly #containers = new Map<string, Container>();
  readonly #listeners = new Set<{ readonly response: ServerResponse; readonly filters: Filters }>();
  #server: Server = createServer();

  constructor(socket: string, containers: readonly Container[]) {
    this.socket = socket;
    for (const container of containers) this.#containers.set(container.name, container);
  }

  async listen(): Promise<void> {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(this.socket);
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** How often the list was asked for. */
  get lists(): number {
    return this.requests.filter((request) => request.endsWith('/containers/json')).length;
  }

  start(container: Container): void {
    this.#containers.set(container.name, container);
    this.#tell('start', container);
  }

  stop(name: string): void {
    const container = this.#containers.get(name) as Container;
    this.#containers.delete(name);
    this.#tell('die', container);
  }

  /** Without a word. */
  vanish(name: string): void {
    this.#containers.delete(name);
  }

  become(name: string, health: NonNullable<Container['health']>): void {
    const container = { ...(this.#containers.get(name) as Container), health };
    this.#containers.set(name, container);
    this.#tell(`health_status: ${health}`, container);
  }

  /** Resolves when somebody listens to the events. */
  heard(): Promise<void> {
    return until(() => this.#listeners.size > 0, 'somebody to listen to the events of Docker');
  }

  /** Ends every stream of events. */
  hangUp(): void {
    for (const { response } of this.#listeners) response.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://docker');
    this.requests.push(`${request.method} ${url.pathname}`);
    const filters = JSON.parse(url.searchParams.get('filters') ?? '{}') as Filters;
    response.setHeader('Api-Version', '1.43');
    response.setHeader('Content-Type', 'application/json');
    if (url.pathname === '/events') {
      const listener = { response, filters };
      this.#listeners.add(listener);
      response.on('close', () => this.#listeners.delete(listener));
      response.flushHeaders();
    } else if (url.pathname !== '/containers/json') {
      response.writeHead(404).end('{"message":"page not found"}\n');
    } else if (this.broken !== null) {
      response.writeHead(this.broken.status).end(this.broken.body);
    } else {
      const shown = [...this.#containers.values()].filter((container) => isMeant(container, filters));
      response.end(`${JSON.stringify(shown.map(listed))}\n`);
    }
  }

  #tell(action: string, container: Container): void {
    const id = idOf(container.name);
    const event = {
      status: action,
      id,
      from: 'shop:latest',
      Type: 'container',
      Action: action,
      Actor: { ID: id, Attributes: { ...container.labels, image: 'shop:latest', name: container.name } },
      scope: 'local',
      time: 1_767_225_600,
      timeNano: 1_767_225_600_000_000_000,
    };
    for (const { response, filters } of this.#listeners) {
      const isWanted = filters.event?.some((wanted) => action.startsWith(wanted)) ?? true;
      if (isWanted && hasLabels(container, filters)) response.write(`${JSON.stringify(event)}\n`);
    }
  }
}

interface Filters {
  readonly label?: readonly string[];
  readonly status?: readonly string[];
  readonly event?: readonly string[];
}

function isMeant(container: Container, filters: Filters): boolean {
  return hasLabels(container, filters) && (filters.status?.includes(container.state ?? 'running') ?? true);
}

function hasLabels({ labels }: Container, { label = [] }: Filters): boolean {
  return label.every((wanted) => {
    const [key = '', value] = wanted.split('=');
    return value === undefined ? key in labels : labels[key] === value;
  });
}

function idOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0');
}

function listed({ name, labels, addresses, ports = [], health, state = 'running' }: Container): object {
  const networks = Object.entries(addresses).map(([network, address]) => {
    return [
      network,
      {
        IPAMConfig: null,
        Links: null,
        Aliases: null,
        NetworkID: idOf(network),
        IPAddress: address,
        IPPrefixLen: 16,
        GlobalIPv6Address: '',
      },
    ];
  });
  const suffix = health === undefined ? '' : ` (${health === 'starting' ? 'health: starting' : health})`;
  return {
    Id: idOf(name),
    Names: [`/${name}`],
    Image: 'shop:latest',
    ImageID: `sha256:${idOf('image')}`,
    Command: 'node server.js',
    Created: 1_767_225_600,
    Ports: ports.map((port) => ({ PrivatePort: port, Type: 'tcp' })),
    Labels: labels,
    State: state,
    Status: `Up 5 minutes${suffix}`,
    HostConfig: { NetworkMode: 'host' in addresses ? 'host' : 'shop_default' },
    NetworkSettings: { Networks: Object.fromEntries(networks) },
    Mounts: [],
  };
}
