import type { ValueTest } from '../route.ts';
import type { BatchRule, BodyMatch, GraphqlMatch } from './body-match.ts';

type TestImplies = (known: ValueTest, wanted: ValueTest) => boolean;

/** True if every request that `known` holds for is one that `wanted` holds for. Sound, not complete: `false` also means "can't tell". */
export function bodyImplies(known: BodyMatch, wanted: BodyMatch, implies: TestImplies): boolean {
  // What is met without being said must be so on both sides; refusing takes the request as well.
  if (known.whenTooLarge !== 'no-match' && wanted.whenTooLarge === 'no-match') return false;
  if (known.whenMalformed !== 'no-match' && wanted.whenMalformed === 'no-match') return false;
  return (
    eachImplied(known.json, wanted.json, (a, b) => jsonImplies(a, b, implies)) &&
    eachImplied(known.form, wanted.form, implies) &&
    eachImplied(testsOf(known.xml), testsOf(wanted.xml), implies) &&
    eachImplied(testsOf(known.soap), testsOf(wanted.soap), implies) &&
    jsonRpcImplied(known.jsonRpc, wanted.jsonRpc, implies) &&
    graphqlImplied(known.graphql, wanted.graphql, implies)
  );
}

/** What is there may be an object, which no test but `present` holds for. */
function jsonImplies(known: ValueTest, wanted: ValueTest, implies: TestImplies): boolean {
  return known.kind === 'present' ? wanted.kind === 'present' : implies(known, wanted);
}

type Tests = Readonly<Record<string, ValueTest | undefined>>;

function testsOf(part: BodyMatch['xml'] | BodyMatch['soap']): Tests {
  return { ...part };
}

function eachImplied(known: Tests | undefined, wanted: Tests | undefined, implies: TestImplies): boolean {
  return Object.entries(wanted ?? {}).every(([name, test]) => {
    if (test === undefined) return true;
    const fact = known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
    return fact !== undefined && implies(fact, test);
  });
}

/** A batch that `known` holds for is one that `wanted` may look at in the same way. */
function batchImplied(known: BatchRule, wanted: BatchRule): boolean {
  return known === wanted || known === 'never' || (known === 'all' && wanted === 'any');
}

function jsonRpcImplied(known: BodyMatch['jsonRpc'], wanted: BodyMatch['jsonRpc'], implies: TestImplies): boolean {
  if (wanted === undefined) return true;
  return known !== undefined && batchImplied(known.batch, wanted.batch) && implies(known.method, wanted.method);
}

function graphqlImplied(
  known: GraphqlMatch | undefined,
  wanted: GraphqlMatch | undefined,
  implies: TestImplies,
): boolean {
  if (wanted === undefined) return true;
  if (known === undefined || !batchImplied(known.batch, wanted.batch)) return false;
  const { operation } = wanted;
  if (operation !== undefined && known.operation?.every((type) => operation.includes(type)) !== true) return false;
  const { name, field } = wanted;
  return eachImplied({ name: known.name, field: known.field }, { name, field }, implies);
}
