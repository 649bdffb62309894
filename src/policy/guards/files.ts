import { holdsOneOf, oneStandsAt } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const TRAVERSAL = bitOf('traversal');
const LOCAL_FILE = bitOf('local-file');
const SENSITIVE_FILE = bitOf('sensitive-file');

/** Where one step up is enough to tell what it is for. */
const AIMS = [
  'etc/',
  'etc\\',
  'proc/',
  'windows',
  'winnt',
  'web-inf',
  'boot.ini',
  '.env',
  '.git/',
  '.ssh',
  'wp-config',
] as const;

/** Those whose names are plain text, segment by segment. */
const PLAIN_LOCAL_FILES = ['/etc/passwd', '/etc/shadow', '/proc/self/', '/boot.ini', '/win.ini'] as const;

const LOCAL_FILES = [
  ...PLAIN_LOCAL_FILES,
  'c:\\windows\\',
  'c:/windows/',
  '\\boot.ini',
  '\\win.ini',
  'php://filter',
  'php://input',
  'phar://',
  'expect://',
  'file:///etc',
  'file:///proc',
  'file:///c:',
] as const;

/** Segments of a path that no site means to publish. */
const SENSITIVE: ReadonlySet<string> = new Set([
  '.aws',
  '.bash_history',
  '.bzr',
  '.docker',
  '.ds_store',
  '.env',
  '.git',
  '.git-credentials',
  '.gitconfig',
  '.hg',
  '.htaccess',
  '.htpasswd',
  '.kube',
  '.mysql_history',
  '.netrc',
  '.npmrc',
  '.pgpass',
  '.ssh',
  '.svn',
  'id_ed25519',
  'id_rsa',
  'phpinfo.php',
  'web.config',
  'wp-config.php',
]);

/** What copies of them are called: `.env.production`, `wp-config.php.bak`. */
const SENSITIVE_BEGINS = ['.env.', 'wp-config.php.', 'wp-config.php~', 'web.config.', '.htpasswd.'] as const;
/** Documentation of `.env`, which holds no secrets. */
const HARMLESS: ReadonlySet<string> = new Set(['.env.example', '.env.sample', '.env.template']);

/** Steps up and files of the system, in text in lower case that has a slash. Linear. */
export function filesIn(text: string): Findings {
  return (climbs(text) ? TRAVERSAL : 0) | (holdsOneOf(text, LOCAL_FILES) ? LOCAL_FILE : 0);
}

/** Two steps up in a row, or one towards a file of the system: `../foo` alone is what links say. */
function climbs(text: string): boolean {
  let at = text.indexOf('..');
  while (at !== -1) {
    let steps = 0;
    let next = at;
    if (isSeparator(text[at - 1]) || !isPartOfName(text[at - 1])) {
      for (let end = stepEnd(text, next); end !== -1; end = stepEnd(text, next)) {
        steps += 1;
        next = end;
      }
    }
    if (steps > 1 || (steps === 1 && oneStandsAt(text, next, AIMS))) return true;
    at = text.indexOf('..', Math.max(next, at + 1));
  }
  return false;
}

/** The end of one step up at `at`: `../`, `..\`, `..;/`, `..//`, `....//` of who takes `../` out once. -1 for none. */
function stepEnd(text: string, at: number): number {
  let end = at;
  while (end < at + 4 && text[end] === '.') end += 1;
  if (end !== at + 2 && end !== at + 4) return -1;
  if (text[end] === ';') end += 1;
  const separators = end;
  while (end < separators + 4 && isSeparator(text[end])) end += 1;
  return end === separators ? -1 : end;
}

function isSeparator(character: string | undefined): boolean {
  return character === '/' || character === '\\';
}

function isPartOfName(character: string | undefined): boolean {
  return (
    character !== undefined &&
    ((character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character === '.')
  );
}

/**
 * What only paths are asked for. `sent` is the path as it came, `form` what it comes to when it is decoded, both in lower case: nobody
 * escapes dots in good faith.
 */
export function pathIn(sent: string, form: string): Findings {
  let found = 0;
  if (form !== sent && stepsIn(form) > stepsIn(sent)) found |= TRAVERSAL;
  // Also in a path that is plain otherwise, which no other rule is asked about.
  if (holdsOneOf(form, PLAIN_LOCAL_FILES)) found |= LOCAL_FILE;
  for (const whole of form.split('/')) {
    // Servlet containers cut parameters off: `.env;x.css` is `.env` to them.
    const semicolon = whole.indexOf(';');
    const segment = semicolon === -1 ? whole : whole.slice(0, semicolon);
    if (SENSITIVE.has(segment)) found |= SENSITIVE_FILE;
    else if (SENSITIVE_BEGINS.some((begin) => segment.startsWith(begin)) && !HARMLESS.has(segment))
      found |= SENSITIVE_FILE;
  }
  return found;
}

function stepsIn(path: string): number {
  let count = 0;
  for (const segment of path.split('/'))
    if (segment === '..' || segment.startsWith('..\\') || segment.startsWith('..;')) count += 1;
  return count;
}
