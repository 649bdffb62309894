import type { ListedEndpoint } from './listed-endpoint.ts';

/** What makes an endpoint of a container. */
export interface ContainerRules {
  /** When the container has no label `headgate.port`; `null` for the lowest TCP port that it exposes. */
  readonly port: number | null;
  /** `null` for the container's first, by name. */
  readonly network: string | null;
  /** The endpoints speak TLS. */
  readonly secure: boolean;
}

/** What came of one container: an endpoint, or why it is none. */
export type ContainerVerdict =
  | { readonly name: string; readonly endpoint: ListedEndpoint }
  | { readonly name: string; readonly leftOut: 'unhealthy' | 'starting' | 'no-port' | 'no-address' };

/**
 * Reads an answer to `GET /containers/json` of the Docker Engine API: one verdict for each running container. `null` for what is no
 * such answer. Fields that are not what they should be count as absent.
 */
export function verdictsOnContainers(answer: unknown, rules: ContainerRules): ContainerVerdict[] | null {
  if (!Array.isArray(answer)) return null;
  return answer.map(mapOf).map((container) => verdictOn(container, rules));
}

type Json = Readonly<Record<string, unknown>>;

function verdictOn(container: Json, rules: ContainerRules): ContainerVerdict {
  const names = Array.isArray(container['Names']) ? container['Names'] : [];
  const name = textOf(names[0]).replace(/^\//, '') || textOf(container['Id']).slice(0, 12);
  const ill = healthOf(container);
  if (ill !== null) return { name, leftOut: ill };
  const labels = mapOf(container['Labels']);
  const port = numberIn(labels['headgate.port'], 1, 65_535) ?? rules.port ?? lowestPort(container['Ports']);
  if (port === null) return { name, leftOut: 'no-port' };
  const host = hostOf(container, rules.network);
  if (host === null) return { name, leftOut: 'no-address' };
  const weight = numberIn(labels['headgate.weight'], 0, 1000) ?? 1;
  const priority = numberIn(labels['headgate.priority'], 0, 100) ?? 0;
  return { name, endpoint: { address: { secure: rules.secure, host, port }, weight, priority } };
}

/**
 * By its own health check, if it has one: in the list that is part of a text for people, `Up 2 minutes (unhealthy)`, until version
 * 1.52 of the API. Who is starting has not said yet that it can serve.
 */
function healthOf(container: Json): 'unhealthy' | 'starting' | null {
  const health = textOf(mapOf(container['Health'])['Status']);
  const status = textOf(container['Status']);
  if (health === 'unhealthy' || status.includes('(unhealthy)')) return 'unhealthy';
  return health === 'starting' || status.includes('(health: starting)') ? 'starting' : null;
}

function lowestPort(ports: unknown): number | null {
  const exposed = (Array.isArray(ports) ? ports : [])
    .map(mapOf)
    .filter((port) => port['Type'] === 'tcp')
    .flatMap((port) => numberIn(port['PrivatePort'], 1, 65_535) ?? []);
  return exposed.length === 0 ? null : Math.min(...exposed);
}

function hostOf(container: Json, wanted: string | null): string | null {
  const networks = mapOf(mapOf(container['NetworkSettings'])['Networks']);
  const names = wanted === null ? Object.keys(networks).sort() : [wanted];
  for (const name of names) {
    const network = mapOf(networks[name]);
    const address = textOf(network['IPAddress']) || textOf(network['GlobalIPv6Address']);
    if (isAddress(address)) return address;
  }
  // It has the addresses of the machine that it runs on.
  const isHost = mapOf(container['HostConfig'])['NetworkMode'] === 'host' && (wanted === null || wanted === 'host');
  return isHost ? '127.0.0.1' : null;
}

function isAddress(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) || /^[\da-fA-F:.]*:[\da-fA-F:.]*$/.test(text);
}

function mapOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Labels are texts. */
function numberIn(value: unknown, least: number, most: number): number | null {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most ? number : null;
}
