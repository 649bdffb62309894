import { RequestMessage } from '../../../src/routing/body/request-message.ts';

const texts = new WeakMap<RequestMessage, string>();

/** A JSON body that was read; what is no JSON is one too. */
export function jsonBody(text: string): RequestMessage {
  const message = new RequestMessage(['Content-Type', 'application/json'], text.length, 100);
  message.read({ bytes: Buffer.from(text), isWhole: true });
  texts.set(message, text);
  return message;
}

export function textOf(message: RequestMessage): string {
  return texts.get(message) ?? '';
}
