import { Buffer } from 'node:buffer';
import type { GatewayError } from '../errors.ts';
import { getHeader } from '../http/headers.ts';
import type { ErrorPage } from '../policy/error-pages.ts';
import type { Progress } from './progress.ts';

/** What the client is told: `{"error":code,"reason":…,"id":…}`, or a plain page for a browser. */
export function errorPage(progress: Progress, error: GatewayError): ErrorPage {
  const own = progress.policies?.errorPages?.page(error, progress) ?? null;
  if (own !== null && own !== 'html') return own;
  if (own === 'html' || getHeader(progress.request.headers, 'accept')?.includes('text/html') === true) {
    return { contentType: 'text/html; charset=utf-8', body: Buffer.from(htmlPage(progress, error)) };
  }
  const body = `{"error":"${error.code}","reason":"${error.reason}","id":"${progress.requestId}"}\n`;
  return { contentType: 'application/json', body: Buffer.from(body) };
}

/** Codes, reasons and ids are made of letters, digits, `_` and `-`: nothing here needs escaping but what `developerFacts` adds. */
function htmlPage(progress: Progress, error: GatewayError): string {
  const { development } = progress.edition.snapshot;
  const reload = development && error.blame === 'upstream' ? '<meta http-equiv="refresh" content="2">' : '';
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8">${reload}<title>${error.status}</title>` +
    '<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}' +
    'code{font:14px ui-monospace,monospace}small{color:#666}</style></head><body>' +
    `<h1>${error.status}</h1><p><code>${error.code}</code> (${error.reason})</p>` +
    `${development ? developerFacts(progress, error) : ''}<p><small>Request ${progress.requestId}</small></p></body></html>\n`
  );
}

/** For the one who runs both sides: what to do, and which route, pool and endpoint it is about. */
function developerFacts(progress: Progress, error: GatewayError): string {
  const facts = [`Route <code>${escapeHtml(progress.route === '' ? 'none' : progress.route)}</code>`];
  if (progress.pool !== null) facts.push(`pool <code>${escapeHtml(progress.pool)}</code>`);
  if (progress.endpoint !== null) facts.push(`endpoint <code>${escapeHtml(progress.endpoint)}</code>`);
  return `${advice(progress, error)}<p>${facts.join(', ')}</p>`;
}

function advice(progress: Progress, error: GatewayError): string {
  if (error.code === 'destination_not_found') return '<p>No route takes this request.</p>';
  if (error.blame !== 'upstream') return '';
  const endpoint = escapeHtml(progress.endpoint ?? 'any endpoint');
  const what =
    error.code === 'connection_refused'
      ? `Nothing is listening at ${endpoint} yet.`
      : `No good answer from ${endpoint}.`;
  return `<p>${what} This page tries again every 2 seconds.</p>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
