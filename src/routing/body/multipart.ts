import { parametersBehind } from '../../http/media-type.ts';

/** A field of a form. */
export interface FormField {
  readonly name: string;
  readonly value: string;
}

/**
 * The text fields of a form that is sent in parts (RFC 7578), in order, as far as they stand wholly in `bytes`; files are left out. `isWhole`: the
 * closing line was seen. Names as browsers write them: `%22`, `%0D`, `%0A` stand for `"` and line ends (HTML, "multipart/form-data encoding
 * algorithm"). `null` where `bytes` do not begin as such a form. Linear; never throws.
 */
export function multipartFields(
  bytes: Uint8Array,
  boundary: string,
): { readonly fields: readonly FormField[]; readonly isWhole: boolean } | null {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const line = `--${boundary}`;
  // RFC 2046 §5.1.1: a preamble is passed over.
  const first = octets.startsWith(line) ? 0 : octets.indexOf(`\r\n${line}`) + 2;
  if (first === 1) return null;
  const fields: FormField[] = [];
  for (let at = first + line.length; ; ) {
    if (octets.startsWith('--', at)) return { fields, isWhole: true };
    const head = octets.indexOf('\r\n', at);
    if (head !== -1 && !/^[ \t]*$/.test(octets.slice(at, head))) return null;
    const body = head === -1 ? -1 : octets.indexOf('\r\n\r\n', head);
    // Without a header the empty line comes at once.
    const end = body === -1 ? -1 : octets.indexOf(`\r\n${line}`, body + 2);
    if (end === -1) return { fields, isWhole: false };
    const name = fieldName(octets.slice(head, body));
    if (name !== null) fields.push({ name, value: utf8(octets.slice(body + 4, end)) });
    at = end + 2 + line.length;
  }
}

/** `null` for a file, and for a part that is none of a form. */
function fieldName(head: string): string | null {
  const disposition = /\r\ncontent-disposition[ \t]*:([^\r\n]*)/i.exec(head)?.[1];
  const parameters = disposition === undefined ? null : parametersBehind('form-data', disposition);
  const name = parameters?.get('name');
  if (name === undefined || parameters?.has('filename') === true || parameters?.has('filename*') === true) return null;
  return utf8(name).replace(/%(22|0D|0A)/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

function utf8(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
