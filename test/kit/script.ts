/** One step of what an origin does with a connection. Strings are the common ones; `parseStep` gives each its meaning. */
export type Step =
  /** Reads a request head (and records it). */
  | 'read head'
  /** Reads the rest of the current request by its framing, trailers included, and records it. */
  | 'read body'
  /** The same, counting the bytes instead of keeping them: for gigabytes. */
  | 'discard body'
  | `read ${number} bytes`
  /** Reads and drops until the peer's FIN. */
  | 'read end'
  /** Answers the current request (reading what is left of it first): `ok\n` by Content-Length. */
  | `respond ${number}`
  /** Sends FIN. */
  | 'end'
  /** Sends RST. */
  | 'reset'
  /** Closes both directions at once. */
  | 'close'
  /** Waits, reading, until the peer closes. */
  | 'silent'
  /** Stops reading from the socket: the peer's writes fill up. */
  | 'stop reading'
  | 'resume reading'
  /** Agrees to the upgrade that the current request asks for. */
  | 'upgrade'
  /** Sends back whatever comes, until the peer's end, then ends too. */
  | 'echo'
  | StepObject;

export type StepObject =
  /** Answer with a Content-Length, keeping the connection. Headers as a flat list. */
  | { readonly respond: number; readonly headers?: readonly string[]; readonly body?: string }
  /** Exactly these bytes, in one write. */
  | { readonly send: string | Uint8Array }
  /** Exactly these bytes, each element written only after the former left the process. */
  | { readonly sendEach: readonly (string | Uint8Array)[] }
  /** This many bytes of `x`, as fast as the peer takes them. */
  | { readonly fill: number }
  /** Waits for a promise, or for what a function promises when the step is reached. */
  | { readonly wait: Promise<unknown> | (() => Promise<unknown>) }
  /** Switches protocols with these extra fields and, in the same write, these first bytes. */
  | { readonly upgrade: string; readonly headers?: readonly string[]; readonly first?: string };

export type Script = readonly Step[];

export type Action =
  | { readonly do: 'read-head' | 'read-end' | 'end' | 'reset' | 'close' | 'silent' | 'echo' | 'stop' | 'resume' }
  | { readonly do: 'read-body'; readonly keep: boolean }
  | { readonly do: 'read-bytes'; readonly length: number }
  | { readonly do: 'respond'; readonly status: number; readonly headers: readonly string[]; readonly body: string }
  | { readonly do: 'send'; readonly chunks: readonly (string | Uint8Array)[] }
  | { readonly do: 'fill'; readonly length: number }
  | { readonly do: 'wait'; readonly until: () => Promise<unknown> }
  | {
      readonly do: 'upgrade';
      readonly protocol: string | null;
      readonly headers: readonly string[];
      readonly first: string;
    };

const words: Readonly<Record<string, Action>> = {
  'read head': { do: 'read-head' },
  'read body': { do: 'read-body', keep: true },
  'discard body': { do: 'read-body', keep: false },
  'read end': { do: 'read-end' },
  end: { do: 'end' },
  reset: { do: 'reset' },
  close: { do: 'close' },
  silent: { do: 'silent' },
  'stop reading': { do: 'stop' },
  'resume reading': { do: 'resume' },
  upgrade: { do: 'upgrade', protocol: null, headers: [], first: '' },
  echo: { do: 'echo' },
};

/** Throws on a step that does not exist: a script with a typo must not pass as a silent origin. */
export function parseStep(step: Step): Action {
  return typeof step === 'string' ? parseWords(step) : parseObject(step);
}

function parseWords(step: string): Action {
  const known = words[step];
  if (known !== undefined) return known;
  const read = /^read (\d+) bytes$/.exec(step);
  if (read !== null) return { do: 'read-bytes', length: Number(read[1]) };
  const respond = /^respond (\d{3})$/.exec(step);
  if (respond !== null) return { do: 'respond', status: Number(respond[1]), headers: [], body: 'ok\n' };
  throw new Error(`Cannot run the step "${step}": an origin knows no such thing`);
}

function parseObject(step: StepObject): Action {
  if ('respond' in step) {
    return { do: 'respond', status: step.respond, headers: step.headers ?? [], body: step.body ?? 'ok\n' };
  }
  if ('send' in step) return { do: 'send', chunks: [step.send] };
  if ('sendEach' in step) return { do: 'send', chunks: step.sendEach };
  if ('fill' in step) return { do: 'fill', length: step.fill };
  if ('upgrade' in step) {
    return { do: 'upgrade', protocol: step.upgrade, headers: step.headers ?? [], first: step.first ?? '' };
  }
  const { wait } = step;
  return { do: 'wait', until: typeof wait === 'function' ? wait : () => wait };
}
