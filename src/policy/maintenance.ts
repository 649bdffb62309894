import { GatewayError } from '../errors.ts';
import type { AdmitPolicy } from './admit.ts';

export interface MaintenanceOptions {
  /** Whether it is out of service now. Hot. */
  readonly isOn: () => boolean;
  readonly retryAfterSeconds: number;
  /** Clients that are served meanwhile, by their address; `null` for none. */
  readonly serves: ((address: string) => boolean) | null;
}

/** Refuses everybody while a route is out of service, but those who see whether it is mended. */
export function maintenancePolicy({ isOn, retryAfterSeconds, serves }: MaintenanceOptions): AdmitPolicy<'maintenance'> {
  return {
    phase: 'maintenance',
    policy: 'maintenance',
    admit: ({ client }) => {
      if (!isOn() || serves?.(client.address) === true) return null;
      return { kind: 'refuse', error: outOfService(retryAfterSeconds) };
    },
  };
}

/** What clients get meanwhile, and when they are told to come again. */
export function outOfService(retryAfterSeconds: number): GatewayError {
  return new GatewayError('destination_unavailable', {
    blame: 'gateway',
    status: 503,
    reason: 'maintenance',
    retryAfterSeconds,
  });
}
