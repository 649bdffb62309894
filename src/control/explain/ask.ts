import { unusedStore } from '../../cache/unused-store.ts';
import { wishOf } from '../../engine/caching.ts';
import { type Decision, decideOn } from '../../engine/decide.ts';
import { Edition } from '../../engine/edition.ts';
import { fail, internalError } from '../../engine/fail.ts';
import { buildOutbound, type Outbound } from '../../engine/outbound.ts';
import { Progress } from '../../engine/progress.ts';
import { respond } from '../../engine/respond.ts';
import type { Snapshot } from '../../engine/snapshot.ts';
import { RequestMessage } from '../../routing/body/request-message.ts';
import { type AskedAt, type AskedResponse, askedExchange } from './asked-exchange.ts';
import { type Doorway, doorwayOf } from './doorway.ts';
import type { Question } from './question.ts';
import type { Subject } from './subject.ts';

/** What the engine would do with a request. */
export interface Asked {
  readonly at: AskedAt;
  readonly progress: Progress;
  readonly decision: Exclude<Decision, { readonly kind: 'consult' }>;
  /** What would go upstream; `null` for what is not forwarded. */
  readonly outbound: Outbound | null;
  /** What would be sent to the client, where Headgate answers itself. */
  readonly response: AskedResponse;
  readonly notes: readonly string[];
}

/** Stands for the id that every request gets anew. */
const REQUEST_ID = '00000000-0000-7000-8000-000000000000';

/**
 * Runs the engine's own decision on a request that nobody has sent: the live matcher, the live policies, the live cache, by the functions
 * that serve. Nothing is sent, stored, counted or moved.
 */
export function ask(subject: Subject, question: Question): Asked | Exclude<Doorway, { readonly kind: 'in' }> {
  const doorway = doorwayOf(subject, question);
  if (doorway.kind !== 'in') return doorway;
  const exchange = askedExchange(question, doorway.at);
  const edition = new Edition(toBeAsked(subject.snapshot));
  const progress = new Progress(exchange, edition, { id: REQUEST_ID, epoch: subject.nowMs, at: 0 });
  progress.hypothetical = true;
  progress.message = messageOf(question, doorway.at, subject.snapshot);
  const { decision, outbound, asked } = decided(progress, subject.nowMs);
  if (decision.kind === 'reply') respond(progress, decision.reply, decision.plan);
  else if (decision.kind === 'refuse') fail(progress, decision.error);
  const { at } = doorway;
  const notes = [
    ...doorway.notes,
    ...(progress.message?.wanted === true ? [BODY_UNKNOWN] : []),
    ...asked.map((whom) => `${whom} is asked first: what is told here is what happens if it lets the request pass`),
    ...(progress.notes ?? []).map((note) => `would be noted in the log: ${note}`),
  ];
  return { at, notes, progress, decision, outbound, response: exchange.response };
}

const BODY_UNKNOWN =
  'routes ask what the body says: what is told here is what happens if it says nothing that they ask for (tell it with body)';

/** What the body says, read as far as the gateway would read it; `null` where nobody has told. */
function messageOf({ body }: Question, { headers }: AskedAt, { bodyMatching }: Snapshot): RequestMessage | null {
  if (body === null || body === '') return null;
  const bytes = Buffer.from(body);
  const { limitBytes } = bodyMatching;
  const message = new RequestMessage(headers, bytes.byteLength, limitBytes);
  message.read({ bytes: bytes.subarray(0, limitBytes), isWhole: bytes.byteLength <= limitBytes });
  return message;
}

/** A bug ends an exchange with 500: so it does here. */
function decided(
  progress: Progress,
  nowMs: number,
): Pick<Asked, 'decision' | 'outbound'> & { readonly asked: string[] } {
  const asked: string[] = [];
  try {
    let decision = decideOn(progress);
    while (decision.kind === 'consult') {
      asked.push(decision.consultation.whom);
      decision = decision.resume(null, nowMs);
    }
    return { decision, outbound: outboundOf(progress, decision), asked };
  } catch (bug) {
    return { decision: { kind: 'refuse', error: internalError(bug) }, outbound: null, asked };
  }
}

function outboundOf(progress: Progress, decision: Decision): Outbound | null {
  if (decision.kind === 'tunnel') return buildOutbound(progress, decision.plan, null);
  if (decision.kind !== 'forward') return null;
  const { plan, caching } = decision;
  return buildOutbound(progress, plan, caching === null ? null : wishOf(caching));
}

const seen = new WeakMap<Snapshot, Snapshot>();

/** The same, but that looking into its cache is no use of what is in it. */
function toBeAsked(snapshot: Snapshot): Snapshot {
  const known = seen.get(snapshot);
  if (known !== undefined) return known;
  const { cache } = snapshot;
  const made = { ...snapshot, cache: { ...cache, store: unusedStore(cache.store) } };
  seen.set(snapshot, made);
  return made;
}
