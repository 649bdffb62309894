import type { Command } from '../command.ts';
import { DEMO_PORTS, DEMO_SERVICES, type DemoName } from '../demo-services.ts';
import { exitCodes } from '../exit-codes.ts';
import { portOf } from '../shared-options.ts';
import { UsageError } from '../usage-error.ts';

export interface DemoOptions {
  readonly service: DemoName;
  readonly address: string;
  readonly port: number;
}

const HINT = `For example: headgate demo fine. There are ${DEMO_SERVICES.join(', ')}`;

export const demo: Command<DemoOptions> = {
  name: 'demo',
  summary: 'run a demo service',
  group: 'run',
  options: {
    address: { value: 'ADDRESS', summary: '127.0.0.1 unless given' },
    port: { value: 'PORT', summary: `${Object.values(DEMO_PORTS).join(', ')} unless given` },
  },
  positionals: [{ name: 'SERVICE', completes: DEMO_SERVICES }],
  help: {
    lead: `Run one of the services that the starter configuration points to: ${DEMO_SERVICES.join(', ')}.`,
    examples: ['headgate demo fine', 'headgate demo slow --address 0.0.0.0 --port 9002'],
  },
  hint: HINT,
  parse: (given) => {
    const [name] = given.positionals;
    const service = DEMO_SERVICES.find((candidate) => candidate === name);
    if (service === undefined) {
      throw new UsageError(name === undefined ? 'Which demo service?' : `“${name}” is not a demo service`, HINT);
    }
    const port = portOf('--port', given.text('port')) ?? DEMO_PORTS[service];
    return { service, address: given.text('address') ?? '127.0.0.1', port };
  },
  run: async ({ service, ...at }) => {
    const { runDemo } = await import('../demo.ts');
    await runDemo(service, at);
    return exitCodes.ok;
  },
};
