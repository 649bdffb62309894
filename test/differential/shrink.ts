import type { Case, ClientStep, OriginReply } from './case.ts';
import { OK } from './case.ts';

/** Says of each case whether it still shows what is looked for. */
export type StillWrong = (cases: readonly Case[]) => Promise<readonly boolean[]>;

/**
 * A smaller case that is still wrong: packets joined, steps, answers and bytes left out, as long as that goes, within `rounds`
 * rounds of up to `width` cases each.
 */
export async function shrink(
  from: Case,
  stillWrong: StillWrong,
  { width, rounds }: { width: number; rounds: number },
): Promise<Case> {
  let smallest = from;
  for (let left = rounds; left > 0; ) {
    let improved = false;
    const candidates = smaller(smallest);
    for (let at = 0; at < candidates.length && left > 0; at += width) {
      left -= 1;
      const batch = candidates.slice(at, at + width);
      const verdicts = await stillWrong(batch);
      const found = batch[verdicts.indexOf(true)];
      if (found === undefined) continue;
      smallest = found;
      improved = true;
      break;
    }
    if (!improved) break;
  }
  return smallest;
}

/** Cases that are a little smaller, the much smaller ones first. */
function smaller(from: Case): Case[] {
  const { client, origin } = from;
  const { eager: _eager, ...calm } = from;
  return [
    ...(from.eager === true ? [calm] : []),
    ...(origin.length > 0 ? [{ ...from, origin: [] }] : []),
    ...smallerLists(client).map((steps) => ({ ...from, client: steps })),
    ...joined(client).map((steps) => ({ ...from, client: steps })),
    ...origin.map((_, index) => ({ ...from, origin: origin.toSpliced(index, 1) })),
    ...origin
      .map((_, index) => ({ ...from, origin: origin.with(index, OK) }))
      .filter((_, index) => origin[index] !== OK),
    ...origin.flatMap((reply, index) =>
      smallerReplies(reply).map((each) => ({ ...from, origin: origin.with(index, each) })),
    ),
    ...client.flatMap((step, index) =>
      smallerSteps(step).map((each) => ({ ...from, client: client.with(index, each) })),
    ),
  ];
}

function smallerLists<T>(list: readonly T[]): T[][] {
  return list.map((_, index) => list.toSpliced(index, 1));
}

function joined(steps: readonly ClientStep[]): ClientStep[][] {
  return steps.flatMap((step, index) => {
    const next = steps[index + 1];
    if (typeof step === 'string' || next === undefined || typeof next === 'string') return [];
    return [steps.toSpliced(index, 2, { send: step.send + next.send })];
  });
}

function smallerSteps(step: ClientStep): ClientStep[] {
  return typeof step === 'string' ? [] : shorter(step.send).map((send) => ({ send }));
}

function smallerReplies(reply: OriginReply): OriginReply[] {
  const { packets } = reply;
  return [
    ...(reply.after === 'keep' ? [] : [{ ...reply, after: 'keep' } as const]),
    ...(reply.when === 'message' ? [] : [{ ...reply, when: 'message' } as const]),
    ...(packets.length > 1 ? [{ ...reply, packets: [packets.join('')] }] : []),
    ...smallerLists(packets).map((fewer) => ({ ...reply, packets: fewer })),
    ...packets.flatMap((packet, index) =>
      shorter(packet).map((text) => ({ ...reply, packets: packets.with(index, text) })),
    ),
  ];
}

/** `text` without a line, and without pieces of halving length. */
function shorter(text: string): string[] {
  const found: string[] = [];
  const lines = text.split(/(?<=\n)/);
  if (lines.length > 1 && lines.length < 200)
    for (let i = 0; i < lines.length; i += 1) found.push(lines.toSpliced(i, 1).join(''));
  for (let size = text.length >> 1; size >= 1; size >>= 1) {
    if (text.length / size > 400) break;
    for (let at = 0; at < text.length; at += size) found.push(text.slice(0, at) + text.slice(at + size));
  }
  return found;
}
