import { encodeAttributes } from './span.ts';

/** What tells one gateway's spans from another's. */
export interface ResourceSources {
  readonly version: string;
  /** Unique to this process: pids are the same in every container. */
  readonly instance: string;
  /** From the configuration. */
  readonly configured: Readonly<Record<string, string>>;
  /** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go before the configuration, as the environment does everywhere. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The resource of all spans as OTLP/JSON. What is malformed in the environment is left out. */
export function resourceOf({ version, instance, configured, environment }: ResourceSources): string {
  const named = environment['OTEL_SERVICE_NAME'];
  const attributes = {
    'service.name': 'headgate',
    'service.version': version,
    'service.instance.id': instance,
    ...configured,
    ...parseResourceAttributes(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? ''),
    ...(named === undefined || named === '' ? {} : { 'service.name': named }),
  };
  return `{"attributes":[${encodeAttributes(Object.entries(attributes))}]}`;
}

/**
 * `key=value,key=value`, values percent-encoded (OpenTelemetry, "Resource SDK"). A member that is malformed takes only itself out: a
 * gateway starts all the same.
 */
export function parseResourceAttributes(text: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const member of text.split(',')) {
    const [key = '', value, ...rest] = member.split('=');
    if (value === undefined || rest.length > 0 || key.trim() === '') continue;
    const decoded = decode(value.trim());
    if (decoded !== null) attributes[key.trim()] = decoded;
  }
  return attributes;
}

function decode(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    // URIError: "%" without two digits, or no UTF-8.
    return null;
  }
}
