import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { testCertificate } from './listener.ts';
import { stopAfterTest } from './stop.ts';

type Bytes = Buffer<ArrayBufferLike>;
const asIs = (message: Bytes): Bytes => message;

const CHECK = {
  ...{ path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false },
  ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
} as const;

/** What a health service says: a `ServingStatus`, a status of gRPC, or nothing ever. */
export type HealthAnswer = { readonly serving: number } | { readonly grpcStatus: number } | 'silence';

export interface GrpcHealthServer {
  readonly port: number;
  /** The services that were asked for, in order. */
  readonly asked: readonly string[];
  /** Metadata `x-check` of each call. */
  readonly tokens: readonly string[];
  answer: HealthAnswer;
  /** Stops listening; connections are closed. */
  stop(): void;
}

export interface GrpcHealthOptions {
  readonly tls?: boolean;
  /** Has no health service at all. */
  readonly without?: boolean;
}

/** A gRPC server whose health service answers as it is told. Closed after the test. */
export async function grpcHealthServer(
  answer: HealthAnswer,
  options: GrpcHealthOptions = {},
): Promise<GrpcHealthServer> {
  const server = new Server();
  const asked: string[] = [];
  const tokens: string[] = [];
  const state = { asked, tokens, answer, port: 0, stop: () => server.forceShutdown() };
  if (options.without !== true) {
    server.addService(
      { check: CHECK },
      {
        check: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
          asked.push(serviceIn(call.request));
          tokens.push(String(call.metadata.get('x-check')[0] ?? ''));
          if (state.answer === 'silence') return;
          if ('grpcStatus' in state.answer) done({ code: state.answer.grpcStatus, details: 'as told' });
          // proto3 writes no field that has its default value.
          else done(null, Buffer.from(state.answer.serving === 0 ? [] : [0x08, state.answer.serving]));
        },
      },
    );
  }
  state.port = await new Promise<number>((resolve, reject) => {
    credentials(options.tls === true).then((how) => {
      server.bindAsync('127.0.0.1:0', how, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    }, reject);
  });
  stopAfterTest(() => server.forceShutdown());
  return state;
}

export const GRPC_STATUS = status;

async function credentials(tls: boolean): Promise<ServerCredentials> {
  if (!tls) return ServerCredentials.createInsecure();
  const { cert, key } = await testCertificate();
  return ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]);
}

/** Of `HealthCheckRequest { string service = 1 }`, for names of up to 127 bytes. */
function serviceIn(message: Buffer): string {
  if (message.length === 0) return '';
  if (message[0] !== 0x0a || message[1] !== message.length - 2)
    throw new Error(`No health check: ${message.toString('hex')}`);
  return message.subarray(2).toString();
}
