import { createHash } from 'node:crypto';
import type { JwksConfig, JwtConfig } from '../../../config/schema/policy/auth-jwt.ts';
import type { Authenticator } from '../../../policy/auth/authenticator.ts';
import { type JwtOptions, jwtAuthenticator } from '../../../policy/auth/jwt.ts';
import { plainType } from '../../../policy/auth/jwt-form.ts';
import { TokenChecks } from '../../../policy/auth/token-checks.ts';
import type { KeySource, TokenKey } from '../../../policy/auth/token-keys.ts';
import { readAuthorities } from '../authorities.ts';
import { placeOf } from '../place-of-url.ts';
import type { PolicyContext } from '../policy-kind.ts';
import { jwkKey, pemKey, secretKey } from './jose-key.ts';
import { JwksSource } from './jwks-source.ts';
import { keySetOfFile } from './key-set.ts';

/** `null` after a complaint. */
export function compileJwt(config: JwtConfig, context: PolicyContext): Authenticator | null {
  const source = keySource(config, context);
  if (source === null) return null;
  // Other rules are other checks: what was sound under the old ones is looked at again. Other keys are another set anyway.
  const id = `jwt ${context.owner} ${digestOf({ ...config, secret: null })}`;
  const checks = context.state(id, () => new TokenChecks(id));
  return jwtAuthenticator(optionsOf(config), { clock: context.world.clock, source, checks });
}

function optionsOf(config: JwtConfig): JwtOptions {
  const { issuer, audience, algorithms, type, secret } = config;
  const accepted = algorithms ?? (secret === undefined ? undefined : (['HS256'] as const));
  return {
    from: config.from,
    rules: {
      issuers: issuer === 'any' ? null : new Set(issuer),
      audiences: audience === 'any' ? null : new Set(audience),
      algorithms: accepted === undefined ? null : new Set(accepted),
      types: type === undefined ? null : new Set(type.map(plainType)),
      skewMs: config.clockSkew,
      maxAgeMs: config.maxAge ?? null,
      required: config.requiredClaims,
    },
    userClaim: config.user,
    forwardCredentials: config.forwardCredentials,
    realm: config.realm ?? null,
  };
}

function keySource(config: JwtConfig, context: PolicyContext): KeySource | null {
  const { jwks, keysFile, keys, publicKeys, secret } = config;
  if (jwks !== undefined) return jwksSource(jwks, context);
  if (keysFile !== undefined) return fileSource(keysFile, context);
  if (secret !== undefined) return fixedSource([secretKey(secret)]);
  const [key, made] =
    keys === undefined ? (['publicKeys', publicKeys?.map(pemKey)] as const) : (['keys', keys.map(jwkKey)] as const);
  const sound: TokenKey[] = [];
  for (const [index, one] of (made ?? []).entries()) {
    if (typeof one === 'string') context.complain([key, index], { message: `this key can't be used: ${one}` });
    else sound.push(one);
  }
  return sound.length === made?.length ? fixedSource(sound) : null;
}

function fixedSource(keys: readonly TokenKey[]): KeySource {
  return { name: 'the configuration', current: { keys }, seek: null, retryAfterSeconds: 1 };
}

function fileSource(path: string, context: PolicyContext): KeySource | null {
  const file = context.file(path, ['keysFile'], keySetOfFile);
  if (file === null) return null;
  return {
    name: path,
    get current() {
      return file.current;
    },
    seek: null,
    retryAfterSeconds: 1,
  };
}

/** One for everybody who asks the same issuer in the same way. */
function jwksSource(config: JwksConfig, context: PolicyContext): KeySource | null {
  const mistake = jwksMistake(config);
  if (mistake !== null) {
    context.complain(['jwks'], { message: mistake });
    return null;
  }
  const ca = config.ca === undefined ? null : readAuthorities(config.ca, ['jwks', 'ca'], context);
  if (ca === undefined) return null;
  const options = {
    url: config.url,
    ca,
    timeoutMs: config.timeout,
    minTtlMs: config.minTtl,
    maxTtlMs: config.maxTtl,
    coolDownMs: config.coolDown,
    staleIfErrorMs: config.staleIfError,
  };
  const id = `jwks ${placeOf(config.url)} ${digestOf(options)}`;
  return context.state(id, () => new JwksSource(id, options, context));
}

/** What no single key of it shows. */
function jwksMistake({ url, plainHttp, timeout, minTtl, maxTtl, coolDown }: JwksConfig): string | null {
  const { protocol, hostname } = new URL(url);
  // Who can change what comes from there can make tokens.
  if (protocol === 'http:' && !plainHttp && !THIS_MACHINE.test(hostname)) {
    return 'keys over http:// can be replaced on the way: use https://, or { url: …, plainHttp: true }';
  }
  if (Math.min(timeout, minTtl, coolDown) < SHORTEST_MS) return 'timeout, minTtl and coolDown are 100ms at least';
  return minTtl > maxTtl ? 'maxTtl is at least minTtl' : null;
}

const SHORTEST_MS = 100;
const THIS_MACHINE = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/;

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
