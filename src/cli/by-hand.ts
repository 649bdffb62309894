import type { HandState } from '../control/control.ts';
import type { AdminPlace } from './admin-arguments.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';

/** What an endpoint is to do. */
export type HandCommand = EndpointNamed &
  (
    | { readonly command: 'drain' | 'disable' | 'enable' }
    /** `null`: that of the configuration. */
    | { readonly command: 'weight'; readonly weight: number | null }
  );

interface EndpointNamed {
  readonly pool: string;
  readonly endpoint: string;
  readonly place: AdminPlace;
  readonly json: boolean;
}

/** `headgate drain`, `disable`, `enable`, `weight`: sets what an endpoint of a running gateway is to do, and tells how it is then. */
export async function setByHand(command: HandCommand, access: AdminAccess, outputs: Outputs): Promise<ExitCode> {
  const { pool, endpoint, json } = command;
  const path = `/pools/${encodeURIComponent(pool)}/endpoints/${encodeURIComponent(endpoint)}/${command.command}`;
  const asked =
    command.command === 'weight'
      ? ({ method: 'PUT', path, body: { weight: command.weight } } as const)
      : ({ method: 'POST', path, body: {} } as const);
  return answered(() => askAdmin(access, asked), {
    ...outputs,
    json,
    text: (body) => `${plain(sentence(body as Changed))}\n`,
  });
}

interface Changed extends HandState {
  readonly changed: boolean;
}

function sentence({ pool, endpoint, standing, weight, weightByHand, inFlight, sessions, changed }: Changed): string {
  const weighs =
    weightByHand === null ? `weight ${weight}` : `weight ${weightByHand} by hand (${weight} by configuration)`;
  const kept = sessions === null ? '' : `, ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`;
  const before = changed ? '' : ', as it was before';
  return `${pool}  ${endpoint}  ${standing}, ${weighs}, ${inFlight} in flight${kept}${before}`;
}
