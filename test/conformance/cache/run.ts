import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import type { CaseKind, SuiteCase } from './case.ts';
import { type Reply, send } from './client.ts';
import type { SuiteOrigin } from './origin.ts';
import type { Pace } from './pace.ts';
import { judgeReply, judgeRequests, Unmet } from './verdict.ts';

export interface CaseResult {
  readonly id: string;
  readonly kind: CaseKind;
  /** `null` for a case that is met. */
  readonly failure: string | null;
}

/** The pause between two requests that a case asks for. */
const PAUSE_MS = 3000;

/** Runs every case through the gateway at `port`, which forwards to `origin`. */
export async function runCases(
  cases: readonly SuiteCase[],
  ends: { readonly origin: SuiteOrigin; readonly port: number; readonly pace: Pace },
): Promise<readonly CaseResult[]> {
  const agent = new Agent({ keepAlive: true });
  const results: CaseResult[] = [];
  try {
    await ends.pace.run(
      cases.map((it) => async () => {
        const failure = await runCase(it, { ...ends, agent });
        results.push({ id: it.id, kind: it.kind ?? 'required', failure });
      }),
    );
  } finally {
    agent.destroy();
  }
  return results;
}

async function runCase(
  { id, name, requests }: SuiteCase,
  ends: { readonly origin: SuiteOrigin; readonly port: number; readonly pace: Pace; readonly agent: Agent },
): Promise<string | null> {
  const { origin, port, pace, agent } = ends;
  const token = randomUUID();
  origin.expect(token, requests);
  const replies: Reply[] = [];
  try {
    for (const [i, asked] of requests.entries()) {
      const number = i + 1;
      const reply = await send(asked, { agent, port, token, number, id, name, before: replies.at(-1) });
      replies.push(reply);
      judgeReply(asked, reply, { number, token });
      if (asked.pause_after === true) await pace.pause(PAUSE_MS);
    }
    judgeRequests(requests, replies, origin.seen(token));
    return null;
  } catch (cause) {
    if (cause instanceof Unmet) return cause.setup ? `premise: ${cause.message}` : cause.message;
    return `no answer: ${String(cause)}`;
  }
}
