import { badRequest, type GatewayError } from '../errors.ts';
import type { RequestHead } from '../exchange/exchange.ts';
import type { AdmitPolicy } from './admit.ts';

/** `null` for what is not limited. */
export interface HeadLimits {
  readonly headerBytes: number | null;
  /** Fields. */
  readonly headerCount: number | null;
  /** Path and query as sent. */
  readonly targetBytes: number | null;
}

/** Spaces, version and line end of a request line. */
const REQUEST_LINE_BYTES = ' '.length + ' HTTP/1.1\r\n'.length;
const FIELD_LINE_BYTES = ': '.length + '\r\n'.length;

/** Heads that are larger than a route wants them, though its listener takes them: 414 for the target, 431 for the fields (RFC 6585 §5). */
export function headLimitsPolicy({ headerBytes, headerCount, targetBytes }: HeadLimits): AdmitPolicy<'limits'> {
  function refusalOf(head: RequestHead): GatewayError | null {
    if (targetBytes !== null && head.target.length > targetBytes) return badRequest('target-too-long', 414);
    const tooMany = headerCount !== null && head.headers.length > 2 * headerCount;
    const tooLarge = headerBytes !== null && bytesOf(head) > headerBytes;
    return tooMany || tooLarge ? badRequest('headers-too-large', 431) : null;
  }

  return {
    phase: 'limits',
    policy: 'limits',
    admit: ({ request }) => {
      const error = refusalOf(request);
      return error === null ? null : { kind: 'refuse', error };
    },
  };
}

/** As HTTP/1.1 would write it, whatever version it came in. Text is octets: its length is that in bytes. */
function bytesOf({ method, target, headers }: RequestHead): number {
  let bytes = method.length + target.length + REQUEST_LINE_BYTES;
  for (let i = 0; i < headers.length; i += 2) {
    bytes += (headers[i] as string).length + (headers[i + 1] as string).length + FIELD_LINE_BYTES;
  }
  return bytes;
}
