import { isIP } from 'node:net';

const LABEL = '(?!-)[A-Za-z0-9_-]{1,63}(?<!-)';
const NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** A host name, `*.` and one, or an address without brackets and zone: what the local CA can mint a certificate for. */
export function isLocalName(text: string): boolean {
  return NAME.test(text) || (isIP(text) !== 0 && !text.includes('%'));
}
