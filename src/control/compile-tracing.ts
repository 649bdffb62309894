import type { TracingConfig } from '../config/schema/tracing.ts';
import type { TracePlan } from '../engine/trace.ts';
import type { HeaderList } from '../http/headers.ts';
import { isCertificate } from './certificates/pem-certificate.ts';
import type { Complaints } from './complaints.ts';
import { readNamedFile } from './named-file.ts';

/** Where spans go, and how. */
export interface OtlpTarget {
  readonly url: string;
  readonly headers: HeaderList;
  /** PEM; `null` for the built-in roots. */
  readonly ca: string | null;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly batch: number;
  readonly queue: number;
  /** Attributes of the gateway that the configuration gives. */
  readonly resource: Readonly<Record<string, string>>;
}

/** `null` without the section: trace contexts are passed on as they came. */
export function compileTracing(config: TracingConfig | undefined): TracePlan | null {
  if (config === undefined) return null;
  const { sample, trustClients, errors, otlp } = config;
  return { sample, trustClients, exports: otlp !== undefined, errors };
}

/** `null` where spans are not exported. Complains of a file that can't be used. */
export function compileOtlp(config: TracingConfig | undefined, complaints: Complaints): OtlpTarget | null {
  if (config?.otlp === undefined) return null;
  const { endpoint, headers, ca, compression, timeout, interval, batch, queue } = config.otlp;
  return {
    url: traceUrl(endpoint),
    headers: Object.entries(headers).flat(),
    ca: ca === undefined ? null : authorities(ca, complaints),
    gzip: compression === 'gzip',
    timeoutMs: timeout,
    intervalMs: interval,
    batch,
    queue,
    resource: config.resource,
  };
}

/** The path that OTLP has for traces, unless there is one ("OTLP/HTTP Request"). */
function traceUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

function authorities(file: string, complaints: Complaints): string | null {
  const path = ['tracing', 'otlp', 'ca'];
  try {
    const pem = readNamedFile(file).toString();
    if (isCertificate(pem)) return pem;
    complaints.add(path, { message: `“${file}” holds no PEM certificate` });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complaints.add(path, { code: 'HG0101', message: `cannot read “${file}”: ${code}` });
  }
  return null;
}
