import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../../http/headers.ts';

/**
 * A response head as text, latin1, for the few that Node's ServerResponse does not write: interim responses and 101.
 * Fields keep their order and case. `null` when a field could not be sent without changing the message's shape.
 */
export function headBlock(status: number, fields: HeaderList): string | null {
  let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name === '' || breaksLine(name) || breaksLine(value)) return null;
    block += `${name}: ${value}\r\n`;
  }
  return `${block}\r\n`;
}

function breaksLine(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 0x0a || c === 0x0d || c === 0x00 || c > 0xff) return true;
  }
  return false;
}
