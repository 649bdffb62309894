import type { ErrorPagesPolicyConfig } from '../../config/schema/policy/error-pages.ts';
import { errorPageSet } from '../../policy/error-page-set.ts';
import { compileErrorTemplate, type ErrorFormat, type ErrorTemplate } from '../../policy/error-template.ts';
import type { KeyPath } from '../complaints.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';

type Pages = ErrorPagesPolicyConfig['pages'];
type TemplateConfig = NonNullable<Pages[string]['html']>;
type Current = { readonly current: ErrorTemplate };

const FORMATS: readonly ErrorFormat[] = ['html', 'json', 'text'];

export const errorPagesKind: PolicyKind<ErrorPagesPolicyConfig> = {
  merge: 'nearest',
  compile: ({ pages: given, json, intercept }, context) => {
    const pages = new Map<string, Partial<Record<ErrorFormat, Current>>>();
    const formats = new Map<string, ErrorFormat>();
    let isSound = true;
    for (const [selector, page] of Object.entries(given)) {
      const made: Partial<Record<ErrorFormat, Current>> = {};
      for (const format of FORMATS) {
        const config = page[format];
        if (config === undefined) continue;
        const template = templateOf(config, format, { context, formats, path: ['pages', selector, format] });
        if (template === null) isSound = false;
        else made[format] = template;
      }
      pages.set(selector, made);
    }
    if (!isSound) return null;
    const intercepts = intercept === undefined ? null : new Set(intercept);
    return { errorPages: errorPageSet({ pages, problem: json === 'problem', intercepts }) };
  },
  words: ({ pages, json, intercept }) =>
    [
      ...Object.entries(pages).map(([selector, page]) => `${selector} (${Object.keys(page).join(', ')})`),
      ...(json === 'problem' ? ['JSON as application/problem+json'] : []),
      ...(intercept === undefined ? [] : [`in place of an endpoint’s ${intercept.join(', ')}`]),
    ].join('; ') || 'the built-in ones',
};

interface TemplatePlace {
  readonly context: PolicyContext;
  /** What each file is written in: it is read once. */
  readonly formats: Map<string, ErrorFormat>;
  readonly path: KeyPath;
}

/** `null` after a complaint. */
function templateOf(
  config: TemplateConfig,
  format: ErrorFormat,
  { context, formats, path }: TemplatePlace,
): Current | null {
  if (typeof config !== 'string') {
    const other = formats.get(config.file) ?? format;
    formats.set(config.file, other);
    if (other !== format) {
      context.complain([...path, 'file'], {
        message: `${config.file} is ${other} already, which is escaped otherwise`,
      });
      return null;
    }
    return context.file(config.file, [...path, 'file'], (content) => parsed(content, format));
  }
  const result = compileErrorTemplate(config, format);
  if (result.ok) return { current: result.template };
  context.complain(path, { message: result.message });
  return null;
}

function parsed(content: Buffer, format: ErrorFormat): ErrorTemplate {
  const result = compileErrorTemplate(new TextDecoder('utf-8', { fatal: true }).decode(content), format);
  if (!result.ok) throw new Error(result.message);
  return result.template;
}
