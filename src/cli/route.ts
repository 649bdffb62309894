import { explain } from '../control/explain/explain.ts';
import type { Explanation } from '../control/explain/explanation.ts';
import type { Question } from '../control/explain/question.ts';
import { accessTo } from './admin-access.ts';
import type { AdminPlace } from './admin-arguments.ts';
import { type AdminAnswer, askAdmin } from './admin-client.ts';
import { answered } from './admin-outcome.ts';
import type { Io } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { explanationText } from './explanation-text.ts';
import { withConfiguration } from './with-configuration.ts';

interface Asking {
  readonly question: Question;
  readonly explain: boolean;
  readonly json: boolean;
}

/** `headgate route GET URL`: the configuration in the files, without starting anything. */
export function askFiles(asking: Asking & { readonly path: string }, io: Io): Promise<number> {
  return withConfiguration(asking, io, ({ config, origins }, { snapshot }) => {
    const subject = { snapshot, config, origins, ports: new Map(), running: false, nowMs: Date.now() };
    const explanation = explain(subject, asking.question);
    io.stdout.write(asking.json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation, asking.explain));
    return isTaken(explanation) ? exitCodes.ok : exitCodes.failure;
  });
}

/** The same of a gateway that runs, with the state that it has. */
export async function askGateway(
  { question, explain: whole, json }: Asking,
  place: AdminPlace,
  io: Io,
): Promise<number> {
  let taken = false;
  const ask = async (): Promise<AdminAnswer> => {
    const answer = await askAdmin(accessTo(place, io), { method: 'POST', path: '/explain', body: inputOf(question) });
    taken = answer.status === 200 && isTaken(answer.body as Explanation);
    return answer;
  };
  const text = (body: unknown): string => explanationText(body as Explanation, whole);
  const code = await answered(ask, { json, text, stdout: io.stdout, stderr: io.stderr });
  return code === exitCodes.ok && !taken ? exitCodes.failure : code;
}

function isTaken({ outcome }: Explanation): boolean {
  return outcome.kind !== 'closed' && (outcome.kind !== 'refuse' || outcome.by === 'route' || outcome.by === 'cache');
}

/** As the admin listener reads it. */
function inputOf(question: Question): object {
  const { scheme, authority, target, headers, serverName, listener, certificate, body, ...rest } = question;
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    fields[name] = [...(fields[name] ?? []), Buffer.from(headers[i + 1] as string, 'latin1').toString('utf8')];
  }
  return {
    ...rest,
    url: `${scheme}://${authority}${target === '*' ? '' : target}`,
    headers: fields,
    ...(serverName === null ? {} : { sni: serverName }),
    ...(listener === null ? {} : { listener }),
    ...(body === null ? {} : { body }),
  };
}
