import type { LocalReply } from '../../../exchange/local-reply.ts';

/** A redirect that nobody stores: it says who logs in, and where to. */
export function sendTo(url: string, status: 302 | 303, reason: string): LocalReply {
  const headers = ['Location', url, 'Cache-Control', 'no-store', 'Content-Length', '0'];
  return { status, headers, body: null, reason, error: null };
}

/** Asks whoever came by a link of another site. The form has no address: it goes to the page itself. */
export const confirmLogout: LocalReply = page(
  'Sign out?',
  '<form method="post"><button autofocus>Sign out</button></form>',
  'logout-page',
);

export const loggedOut: LocalReply = page('You are signed out.', '', 'logout');

function page(title: string, content: string, reason: string): LocalReply {
  const head = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>`;
  const style =
    '<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:15vh auto;padding:0 1rem}</style>';
  const body = Buffer.from(`${head}${style}<h1>${title}</h1>${content}</html>`);
  const headers = [
    ...['Content-Type', 'text/html; charset=utf-8', 'Content-Length', String(body.length), 'Cache-Control', 'no-store'],
    // Nobody may have it clicked by somebody who sees another page.
    ...['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"],
    ...['X-Content-Type-Options', 'nosniff'],
  ];
  return { status: 200, headers, body, reason, error: null };
}
