import { holdsOneOf } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const SCANNER = bitOf('scanner');

/** Tools that look for holes and say so. Names that programs of other kinds have too are not among them. */
const NAMES = [
  'acunetix',
  'appscan',
  'arachni',
  'brutus',
  'commix',
  'dirbuster',
  'dirsearch',
  'feroxbuster',
  'fuzz faster u fool',
  'gobuster',
  'grendel-scan',
  'havij',
  'jaeles',
  'joomscan',
  'jorgee',
  'masscan',
  'morfeus',
  'muieblackcat',
  'nessus',
  'netsparker',
  'nikto',
  'nmap scripting engine',
  'nuclei',
  'openvas',
  'projectdiscovery',
  'qualys',
  'skipfish',
  'sqlmap',
  'w3af',
  'whatweb',
  'wfuzz',
  'wpscan',
  'zgrab',
  'zmeu',
] as const;

/** Is this a user agent, in lower case, of a scanner? */
export function scannerIn(userAgent: string): Findings {
  return holdsOneOf(userAgent, NAMES) ? SCANNER : 0;
}
