import type { TestGateway } from './gateway.ts';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Purges as anybody on this machine may: by the admin listener. */
export async function purge({ gateway }: TestGateway, order: object): Promise<Answer> {
  const reply = await fetch(`${gateway.adminUrl}/cache/purge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return { status: reply.status, body: (await reply.json()) as Answer['body'] };
}

/** What the admin listener says of what is stored. */
export async function cacheFacts({ gateway }: TestGateway, path: string): Promise<Answer> {
  const reply = await fetch(`${gateway.adminUrl}${path}`);
  return { status: reply.status, body: (await reply.json()) as Answer['body'] };
}
