import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { errorPageSet } from '../../../src/policy/error-page-set.ts';
import { compileErrorTemplate, type ErrorFormat, type ErrorTemplate } from '../../../src/policy/error-template.ts';
import { asking } from './asking.ts';

function template(text: string, format: ErrorFormat): ErrorTemplate {
  const result = compileErrorTemplate(text, format);
  if (!result.ok) throw new Error(result.message);
  return result.template;
}

function error(status: number, reason = 'no-route'): GatewayError {
  return new GatewayError('destination_not_found', { blame: 'client', status, reason });
}

interface Given {
  readonly pages?: Readonly<Record<string, Readonly<Partial<Record<ErrorFormat, string>>>>>;
  readonly problem?: boolean;
}

/** Type and text of the page, or `html` for the built-in one. */
function pageFor(given: Given, accept: string | null, failure = error(404)): readonly string[] | 'html' {
  const pages = Object.entries(given.pages ?? {}).map(([selector, texts]) => {
    const made = Object.entries(texts).map(([format, text]) => [
      format,
      { current: template(text, format as ErrorFormat) },
    ]);
    return [selector, Object.fromEntries(made)] as const;
  });
  const set = errorPageSet({ pages: new Map(pages), problem: given.problem ?? false, intercepts: null });
  const page = set.page(failure, asking(accept === null ? [] : ['Accept', accept]));
  return page === 'html' ? page : [page.contentType, Buffer.from(page.body).toString()];
}

describe('error pages', () => {
  const pages = {
    '404': { html: 'not found' },
    '4xx': { html: 'client', text: 'client' },
    default: { html: 'any', json: '{"any":{status}}' },
  };

  test.each([
    ['text/html', 404, ['text/html; charset=utf-8', 'not found']],
    ['text/html', 403, ['text/html; charset=utf-8', 'client']],
    ['text/html', 503, ['text/html; charset=utf-8', 'any']],
    ['text/plain', 404, ['text/plain; charset=utf-8', 'client']],
    [
      'text/plain',
      503,
      ['text/plain; charset=utf-8', '503 Service Unavailable\ndestination_not_found (no-route)\nRequest id-1\n'],
    ],
    ['application/json', 404, ['application/json', '{"any":404}']],
    ['application/problem+json', 404, ['application/problem+json', '{"any":404}']],
    [null, 404, ['application/json', '{"any":404}']],
    ['image/png', 404, ['application/json', '{"any":404}']],
  ])('for %j and %i: the nearest that is in that format', (accept, status, expected) => {
    expect(pageFor({ pages }, accept, error(status))).toEqual(expected);
  });

  test('are the built-in ones where there are none of one’s own', () => {
    expect(pageFor({}, 'text/html')).toBe('html');
    const plain = '{"error":"destination_not_found","reason":"no-route","id":"id-1"}\n';
    expect(pageFor({}, 'text/html;q=0.1, application/json')).toEqual(['application/json', plain]);
  });

  test.each([null, '*/*', 'application/json', 'application/problem+json'])(
    'are problem details for %j where that is wanted (RFC 9457)',
    (accept) => {
      const [type, text] = pageFor({ problem: true }, accept);
      expect(type).toBe('application/problem+json');
      expect(JSON.parse(text ?? '')).toEqual({
        ...{ type: 'about:blank', title: 'Not Found', status: 404 },
        ...{ error: 'destination_not_found', reason: 'no-route', id: 'id-1' },
      });
    },
  );

  test('are problem details for who asks for them by name, wanted or not', () => {
    expect(pageFor({}, 'application/problem+json')[0]).toBe('application/problem+json');
  });
});

describe('a page of one’s own', () => {
  const facts = { error: error(418, 'odd-reason'), requestId: '<"&id\'\\' };
  const rendered = (text: string, format: ErrorFormat) => Buffer.from(template(text, format).render(facts)).toString();

  test('has its gaps filled in, escaped for what it is written in', () => {
    expect(rendered('<b title="{id}">{status} {title}</b> {code} {reason}', 'html')).toBe(
      '<b title="&lt;&quot;&amp;id&#39;\\">418 Client Error</b> destination_not_found odd-reason',
    );
    expect(JSON.parse(rendered('{"id":"{id}","status":{status}}', 'json'))).toEqual({
      id: facts.requestId,
      status: 418,
    });
    expect(rendered('{id}', 'text')).toBe(facts.requestId);
  });

  test('may have braces of its own', () => {
    const page = '<style>p{color:red}</style><script>const {{a}} = {b: 1};</script>{status}';
    expect(rendered(page, 'html')).toBe('<style>p{color:red}</style><script>const {a} = {b: 1};</script>418');
  });

  test.each([
    [
      '{statsu}',
      'html',
      'unknown variable {statsu} (did you mean {status}?); for the text itself double the braces: {{statsu}}',
    ],
    [
      '{path}',
      'html',
      expect.stringMatching(
        /^unknown variable \{path\} \(there are \{status\}, \{title\}, \{code\}, \{reason\}, \{id\}\)/,
      ),
    ],
    ['{toString}', 'text', expect.stringContaining('unknown variable {toString}')],
    ['{"a": {id}}', 'json', null],
    ['{"a": {code}}', 'json', expect.stringMatching(/^not JSON once it is filled in: /)],
    ['x'.repeat(256 * 1024 + 1), 'html', 'a page has 256 KiB at most'],
  ])('%.20j in %s: %s', (text, format, message) => {
    const result = compileErrorTemplate(text, format as ErrorFormat);
    expect(result.ok ? null : result.message).toEqual(message);
  });
});
