import { readFileSync } from 'node:fs';
import type { Operation } from '../operation.ts';

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

let page: Buffer | null = null;

/** The dashboard, read once. It has no data of its own: it asks as any client does. */
export const pageOperations: readonly Operation[] = [
  {
    id: 'dashboard',
    method: 'GET',
    path: '/',
    access: 'open',
    summary: 'The dashboard',
    tag: 'gateway',
    answers: { 200: { description: 'A page', type: 'text/html' } },
    run: async () => {
      page ??= readFileSync(new URL('../dashboard/index.html', import.meta.url));
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        headers: { 'content-security-policy': CONTENT_SECURITY_POLICY },
        body: page,
      };
    },
  },
];
