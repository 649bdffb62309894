import { type AdminOptions, AdminServer } from '../../src/admin/server.ts';
import { systemClock } from '../../src/clock.ts';
import { Binding } from '../../src/downstream/binding.ts';
import { deskOf } from './desk.ts';
import { stopAfterTest } from './stop.ts';

/** An admin listener of its own, on a free port of 127.0.0.1 whatever `local` says. Closed after the test. */
export async function adminOf(options: Partial<AdminOptions>): Promise<{ readonly port: number }> {
  const server = new AdminServer({
    local: true,
    metrics: 'token',
    token: async () => null,
    requestsPerSecond: 1000,
    clock: systemClock,
    desk: deskOf({}),
    broke: (bug) => {
      throw bug;
    },
    wrongToken: () => {},
    ...options,
  });
  await server.ready();
  const binding = new Binding(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    { accepted: (socket) => server.accept(socket), broke: () => {} },
  );
  const { port } = await binding.open();
  stopAfterTest(async () => {
    binding.close();
    await server.close();
  });
  return { port: port ?? 0 };
}
