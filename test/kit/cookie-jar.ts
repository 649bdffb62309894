import type { Reply } from './client.ts';
import type { Front } from './matrix.ts';

export const NAVIGATION = ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'] as const;

interface PageRequest {
  readonly method?: string;
  readonly headers?: readonly string[];
}

/** A browser: it keeps cookies, and sends them with every request to the gateway. */
export class CookieJar {
  readonly cookies = new Map<string, string>();
  readonly #front: Front;

  constructor(front: Front) {
    this.#front = front;
  }

  /** `target`: a path, or a URL of the gateway. */
  async get(target: string, { method = 'GET', headers = NAVIGATION }: PageRequest = {}): Promise<Reply> {
    const url = new URL(target, `${this.#front.scheme}://shop.test`);
    const cookie = this.header;
    const reply = await this.#front.send({
      method,
      path: `${url.pathname}${url.search}`,
      headers: [...headers, ...(cookie === '' ? [] : ['Cookie', cookie])],
    });
    for (const field of reply.all('set-cookie')) this.#take(field);
    return reply;
  }

  /** `Cookie` of its next request. */
  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The same cookies in another browser. */
  copy(front = this.#front): CookieJar {
    const other = new CookieJar(front);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  #take(field: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
    if (/; Max-Age=0(;|$)/.test(field)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
