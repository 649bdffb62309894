import type { TestGateway } from './gateway.ts';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Changes what an endpoint of the pool `shop` is to do, as anybody on this machine may: by the admin listener. */
export async function byHand(
  { gateway }: TestGateway,
  deed: 'drain' | 'disable' | 'enable' | { readonly weight: number | null },
  endpoint: { readonly port: number } | string,
): Promise<Answer> {
  const name = encodeURIComponent(typeof endpoint === 'string' ? endpoint : `127.0.0.1:${endpoint.port}`);
  const reply = await fetch(
    `${gateway.adminUrl}/pools/shop/endpoints/${name}/${typeof deed === 'string' ? deed : 'weight'}`,
    {
      method: typeof deed === 'string' ? 'POST' : 'PUT',
      headers: { 'content-type': 'application/json' },
      ...(typeof deed === 'string' ? {} : { body: JSON.stringify(deed) }),
    },
  );
  return { status: reply.status, body: (await reply.json()) as Answer['body'] };
}
