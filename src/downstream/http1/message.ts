import { IncomingMessage, ServerResponse } from 'node:http';
import type { Http1Body } from './body.ts';
import type { Http1Sink } from './response.ts';

/** Node's request, with a place for the body it feeds: its listeners are shared functions that find their state here. */
export class Http1Request extends IncomingMessage {
  body: Http1Body | null = null;
  /** `Expect: 100-continue`: the body comes only when asked for. */
  expectsContinue = false;
}

/** Node's response, with a place for the sink that writes it. */
export class Http1Response extends ServerResponse<Http1Request> {
  sink: Http1Sink | null = null;
}
