import { type Question, readQuestion } from '../../control/explain/question.ts';
import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { Given } from '../options.ts';
import { configPathOf } from '../shared-options.ts';
import { UsageError } from '../usage-error.ts';

export interface RouteOptions {
  readonly question: Question;
  readonly path: string;
  /** A running gateway is asked in place of the files; `null` for these. */
  readonly place: AdminPlace | null;
  readonly explain: boolean;
  readonly json: boolean;
}

const EXAMPLE = 'For example: headgate route GET https://shop.example/api/users/7';

export const route: Command<RouteOptions> = {
  name: 'route',
  summary: 'which route takes this request, and why?',
  group: 'configuration',
  options: {
    header: {
      value: 'FIELD',
      short: 'H',
      multiple: true,
      summary: 'a header field of the request; more than once for more',
    },
    client: { value: 'ADDRESS', summary: 'who asks; 127.0.0.1 unless given' },
    listener: { value: 'NAME', summary: 'where it comes in; the one that fits the URL unless given' },
    sni: { value: 'NAME', summary: 'TLS server name; the host of the URL unless given' },
    body: { value: 'TEXT', summary: 'what its body says' },
    'body-bytes': { value: 'NUMBER', summary: 'length of its body, where what it says is no matter; 0 unless given' },
    explain: { summary: 'with all that leads to it: other routes, policies, cache, endpoints, timeouts' },
    ...ADMIN_OPTIONS,
    admin: { ...ADMIN_OPTIONS.admin, summary: 'ask the gateway that runs there, in place of the files' },
  },
  positionals: [{ name: 'METHOD' }, { name: 'URL' }],
  help: {
    lead: 'Tell what becomes of a request, and with --explain why. Nothing is sent.',
    examples: [
      'headgate route https://shop.example/api/users/7',
      "headgate route POST https://shop.example/api/users -H 'X-Beta: on' --explain",
      'headgate route https://shop.example/ --client 10.0.0.1 --explain --admin http://127.0.0.1:4600',
    ],
    notes: 'Exit code: 1 when it is refused, or no route takes it.',
  },
  hint: EXAMPLE,
  parse: (given, { environment }) => ({
    question: questionOf(given),
    path: configPathOf(given, environment),
    place: given.text('admin') === undefined ? null : placeOf(given, environment),
    json: given.on('json'),
    explain: given.on('explain'),
  }),
  run: async (options, io) => {
    const { askGateway, askFiles } = await import('../route.ts');
    return options.place === null ? askFiles(options, io) : askGateway(options, options.place, io);
  },
};

function questionOf(given: Given): Question {
  const [method, url] = given.positionals.length === 1 ? ['GET', ...given.positionals] : given.positionals;
  if (method === undefined || url === undefined) throw new UsageError('“headgate route” needs a URL', EXAMPLE);
  const bytes = given.text('body-bytes');
  const read = readQuestion({
    method,
    url,
    headers: headersOf(given.all('header')),
    client: given.text('client'),
    listener: given.text('listener'),
    sni: given.text('sni'),
    body: given.text('body'),
    bodyBytes: bytes === undefined ? undefined : /^\d+$/.test(bytes) ? Number(bytes) : bytes,
  });
  if (read.ok) return read.question;
  throw new UsageError(read.message.split(';')[0] as string, HINTS[read.pointer] ?? EXAMPLE);
}

const HINTS: Readonly<Record<string, string>> = {
  '/client': 'For example: --client 192.0.2.7',
  '/sni': 'For example: --sni shop.example',
  '/bodyBytes': 'For example: --body-bytes 1024',
};

function headersOf(fields: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const text of fields) {
    const colon = text.indexOf(':');
    if (colon < 1) throw new UsageError(`“${text}” is not a header field`, `For example: -H 'X-Beta: on'`);
    const name = text.slice(0, colon).trim();
    headers[name] = [...(headers[name] ?? []), text.slice(colon + 1).trim()];
  }
  return headers;
}
