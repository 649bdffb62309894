import { IncomingMessage, ServerResponse } from 'node:http';
import type { Http1Sink } from './response.ts';

/** Node's request, with what the front end learnt of it. */
export class Http1Request extends IncomingMessage {
  /** `Expect: 100-continue`: the body comes only when asked for. */
  expectsContinue = false;
  /** Its upgrade is not carried out, and bytes behind it may be lost: no later request of its connection can be trusted. */
  endsConnection = false;
}

/** Node's response, with a place for the sink that writes it: its listeners are shared functions that find it here. */
export class Http1Response extends ServerResponse<Http1Request> {
  sink: Http1Sink | null = null;
}
