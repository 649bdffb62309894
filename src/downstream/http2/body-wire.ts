import { constants, type ServerHttp2Stream } from 'node:http2';
import type { HeaderList } from '../../http/headers.ts';
import type { BodyWire } from '../request-body.ts';
import { endedByClient } from './upgrade.ts';

/** What a stream knows of its request's body. */
export function wireOf(stream: ServerHttp2Stream): BodyWire {
  let trailers: HeaderList = [];
  let complete = false;
  // Node ends the readable side of a stream that was reset as if all had come.
  stream.on('end', () => {
    complete = endedByClient(stream);
  });
  stream.on('trailers', (_headers, _flags, fields: HeaderList) => {
    trailers = fields;
  });
  return {
    get complete() {
      return complete;
    },
    get trailers() {
      return trailers;
    },
    stop: () => stream.close(constants.NGHTTP2_NO_ERROR),
  };
}
