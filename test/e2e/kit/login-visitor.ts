/** A browser at the pages of an OpenID provider: it keeps its cookies, and fills in the forms that come. */
export class LoginVisitor {
  readonly #cookies = new Map<string, string>();

  /** Follows redirects and sends forms, at most ten times, until it is sent to `outside`; that URL. */
  async walk(start: string, fields: Readonly<Record<string, string>>, outside: string): Promise<string> {
    let url = start;
    let form: URLSearchParams | null = null;
    for (let steps = 0; steps < 10; steps += 1) {
      if (url.startsWith(outside)) return url;
      const response: Response = await this.#ask(url, form);
      const location = response.headers.get('location');
      const page = await response.text();
      if (location !== null) {
        url = new URL(location, url).href;
        form = null;
        continue;
      }
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
      if (action === undefined) throw new Error(`No form at ${url}: ${response.status} ${page.slice(0, 500)}`);
      form = new URLSearchParams(inputsOf(page).map(([name, value]) => [name, fields[name] ?? value]));
      for (const [name, value] of Object.entries(fields)) if (!form.has(name)) form.set(name, value);
      url = new URL(action, url).href;
    }
    throw new Error(`It never leads to ${outside}: ${url}`);
  }

  async #ask(url: string, form: URLSearchParams | null): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const method = form === null ? 'GET' : 'POST';
    const response = await fetch(url, {
      method,
      body: form,
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
    });
    for (const field of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function inputsOf(page: string): [name: string, value: string][] {
  return [...page.matchAll(/<input[^>]*>/g)].flatMap(([input]) => {
    const name = / name="([^"]*)"/.exec(input)?.[1];
    return name === undefined ? [] : [[name, / value="([^"]*)"/.exec(input)?.[1] ?? '']];
  });
}
