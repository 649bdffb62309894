import type { Config } from '../../config/schema/config.ts';
import { isClientField } from '../../policy/auth/identity-fields.ts';

/**
 * Names of the fields by which the configuration tells endpoints who it is, also of groups that nobody uses and of policies that can't be
 * compiled: that one route is out of service must not let clients of another say who they are.
 */
export function declaredNames({ policies, routes }: Pick<Config, 'policies' | 'routes'>): readonly string[] {
  return [...Object.values(policies), ...routes].flatMap(({ auth }) => {
    if (auth === undefined || auth === false) return [];
    const ofService = auth.forward?.responseHeaders.filter((name) => !isClientField(name.toLowerCase())) ?? [];
    return [...Object.keys(auth.headers), ...ofService];
  });
}
