import { GatewayError } from '../../errors.ts';

/** One parameter of a challenge as a quoted string (RFC 9110 §5.6.4). `text` is octets without control characters. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** A challenge (RFC 9110 §11.3): `Basic realm="shop", charset="UTF-8"`. Values are octets without control characters. */
export function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const list = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}`);
  return list.length === 0 ? scheme : `${scheme} ${list.join(', ')}`;
}

/** 401 with these challenges, each on a line of its own: clients that split lists at commas get parameters wrong (RFC 9110 §11.6.1). */
export function unauthorized(reason: string, challenges: readonly string[]): GatewayError {
  const fields = challenges.flatMap((value) => ['WWW-Authenticate', value]);
  return new GatewayError('http_request_denied', { blame: 'client', status: 401, reason, fields });
}

/** The challenges that a refusal brings. */
export function challengesOf({ fields }: GatewayError): readonly string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === 'www-authenticate');
}
