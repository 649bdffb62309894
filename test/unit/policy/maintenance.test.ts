import { expect, test } from 'vitest';
import { maintenancePolicy } from '../../../src/policy/maintenance.ts';
import { policyRequest } from './policy-request.ts';

test('everybody is refused while it lasts, but those who are served', () => {
  let isOn = false;
  const policy = maintenancePolicy({
    isOn: () => isOn,
    retryAfterSeconds: 7,
    serves: (address) => address === '10.0.0.1',
  });
  const by = (address: string) => policy.admit(policyRequest({ client: { address } }));
  expect(by('192.0.2.1')).toBeNull();
  isOn = true;
  expect(by('192.0.2.1')).toMatchObject({
    kind: 'refuse',
    error: { status: 503, reason: 'maintenance', retryAfterSeconds: 7, blame: 'gateway' },
  });
  expect(by('10.0.0.1')).toBeNull();
});

test('nobody is served where nobody is named', () => {
  const policy = maintenancePolicy({ isOn: () => true, retryAfterSeconds: 1, serves: null });
  expect(policy.admit(policyRequest())).not.toBeNull();
});
