import { readQuestion } from '../../control/explain/question.ts';
import { type Operation, ok } from '../operation.ts';
import { badBody } from '../refusal.ts';
import { anything, count, described, listOf, mapOf, orNull, record, text } from '../schema.ts';

const many = listOf(anything);

/** Asking changes nothing, but tells much of the configuration and of what is stored. */
export const explain: Operation = {
  id: 'explain',
  method: 'POST',
  path: '/explain',
  access: 'secret',
  summary: 'What would become of a request, and why; nothing happens',
  tag: 'configuration',
  body: record(
    {
      method: described(text, 'GET unless given'),
      url: described(text, 'As it would be sent: nothing in it is resolved or decoded'),
      headers: described(mapOf(listOf(text)), 'Values of each field'),
      client: described(text, 'Effective client address; 127.0.0.1 unless given'),
      listener: described(text, 'Where it comes in; the one that fits the URL unless given'),
      sni: described(text, 'TLS server name; the host of the URL unless given'),
      certificate: described(
        record({ subject: text, san: listOf(text), fingerprint: text }, ['subject', 'san', 'fingerprint']),
        'A client certificate that verifies',
      ),
      body: described(text, 'What its body says, in UTF-8'),
      bodyBytes: described(count, 'Length of its body, where what it says is no matter'),
    },
    ['method', 'headers', 'client', 'listener', 'sni', 'certificate', 'body', 'bodyBytes'],
  ),
  answers: {
    200: {
      description: 'docs/explain.md says what is what',
      schema: record({
        request: anything,
        outcome: described(anything, 'By `kind`: forward, tunnel, serve, purge, reply, refuse, passthrough, closed'),
        route: orNull(anything),
        alsoMatch: many,
        nearMisses: many,
        policies: many,
        settings: many,
        upstream: orNull(anything),
        cache: orNull(anything),
        pool: orNull(anything),
        notes: listOf(text),
      }),
    },
  },
  run: async ({ desk, body }) => {
    const read = readQuestion(body);
    return read.ok ? ok(await desk.explain(read.question)) : badBody(read.pointer, read.message);
  },
};
