import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { inTime } from './deadline.ts';
import { testCertificate } from './listener.ts';
import { stopAfterTest } from './stop.ts';

/** Messages are bytes: no protocol buffers are needed to carry them. */
const asIs = (message: Buffer): Buffer => message;

function method(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    ...{ path, requestStream, responseStream },
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  };
}

const SERVICE = {
  unary: method('/test.Echo/Unary', false, false),
  upload: method('/test.Echo/Upload', true, false),
  download: method('/test.Echo/Download', false, true),
  chat: method('/test.Echo/Chat', true, true),
};

export interface EchoHandlers {
  readonly unary?: handleUnaryCall<Buffer, Buffer>;
  readonly upload?: handleClientStreamingCall<Buffer, Buffer>;
  readonly download?: handleServerStreamingCall<Buffer, Buffer>;
  readonly chat?: handleBidiStreamingCall<Buffer, Buffer>;
}

/** Answers with what it gets, unless the test has its own handlers. */
const ECHO: Required<EchoHandlers> = {
  unary: (call, done) => done(null, call.request),
  upload: (call, done) => {
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => done(null, Buffer.concat(parts)));
  },
  download: (call) => {
    for (let i = 0; i < call.request.readUInt8(0); i += 1) call.write(Buffer.from([i]));
    call.end();
  },
  chat: (call) => {
    call.on('data', (part: Buffer) => call.write(part));
    call.on('end', () => call.end());
  },
};

/** A gRPC server on a free port of 127.0.0.1. Closed after the test. */
export async function grpcServer(
  handlers: EchoHandlers = {},
  options: { readonly tls?: boolean } = {},
): Promise<number> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(SERVICE, { ...ECHO, ...handlers });
  let how = ServerCredentials.createInsecure();
  if (options.tls === true) {
    const { cert, key } = await testCertificate();
    how = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', how, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  stopAfterTest(() => server.forceShutdown());
  return port;
}

export interface Answer {
  readonly message: Buffer | null;
  readonly status: StatusObject;
  readonly metadata: Metadata;
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly metadata?: Metadata;
}

/** A gRPC client of a gateway. Retries are off: what fails must be seen to fail. */
export class GrpcClient {
  readonly #client: Client;

  /** `ca`: PEM, for TLS. */
  constructor(port: number, ca: string | null) {
    const how = ca === null ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca));
    this.#client = new Client(`localhost:${port}`, how, {
      'grpc.ssl_target_name_override': 'shop.test',
      'grpc.default_authority': 'shop.test',
      'grpc.max_receive_message_length': -1,
      'grpc.enable_retries': 0,
    });
    stopAfterTest(() => this.#client.close());
  }

  /** A unary call, to its end. */
  unary(message: Buffer, options: CallOptions = {}, path = SERVICE.unary.path): Promise<Answer> {
    return answered((done) =>
      this.#client.makeUnaryRequest(path, asIs, asIs, message, metadataOf(options), callOptions(options), done),
    );
  }

  upload(options: CallOptions = {}): { readonly call: ClientWritableStream<Buffer>; readonly answer: Promise<Answer> } {
    let call: ClientWritableStream<Buffer> | null = null;
    const answer = answered((done) => {
      const { path } = SERVICE.upload;
      call = this.#client.makeClientStreamRequest(path, asIs, asIs, metadataOf(options), callOptions(options), done);
      return call;
    });
    return { call: call as unknown as ClientWritableStream<Buffer>, answer };
  }

  download(message: Buffer, options: CallOptions = {}): ClientReadableStream<Buffer> {
    const { path } = SERVICE.download;
    const call = this.#client.makeServerStreamRequest(
      path,
      asIs,
      asIs,
      message,
      metadataOf(options),
      callOptions(options),
    );
    call.on('error', () => {});
    return call;
  }

  chat(options: CallOptions = {}): ClientDuplexStream<Buffer, Buffer> {
    const call = this.#client.makeBidiStreamRequest(
      SERVICE.chat.path,
      asIs,
      asIs,
      metadataOf(options),
      callOptions(options),
    );
    call.on('error', () => {});
    return call;
  }
}

/** The status of a streaming call, which comes last. */
export function statusOf(
  call: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
): Promise<StatusObject> {
  return inTime(new Promise((resolve) => call.on('status', resolve)), 'the status of a gRPC call');
}

type Done = (error: ServiceError | null, message?: Buffer) => void;

function answered(make: (done: Done) => ClientUnaryCall | ClientWritableStream<Buffer>): Promise<Answer> {
  const all = new Promise<Answer>((resolve) => {
    let message: Buffer | null = null;
    let metadata = new Metadata();
    const call = make((_error, got) => {
      message = got ?? null;
    });
    call.on('metadata', (got: Metadata) => {
      metadata = got;
    });
    call.on('status', (status: StatusObject) => setImmediate(() => resolve({ message, status, metadata })));
  });
  return inTime(all, 'the end of a gRPC call');
}

function metadataOf({ metadata }: CallOptions): Metadata {
  return metadata ?? new Metadata();
}

function callOptions({ deadlineMs }: CallOptions): { deadline?: number } {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
