import { type BodyCondition, type BodyScope, condition, UNSAID, valuesText } from './body-condition.ts';
import { type BodyMatch, valueHolds } from './body-match.ts';
import { graphqlConditions, jsonRpcConditions } from './call-conditions.ts';
import { lookUp, parsePointer } from './json-pointer.ts';
import type { RequestMessage, Unsaid } from './request-message.ts';
import { soapActionCondition, soapConditions, xmlConditions } from './xml-conditions.ts';

/** The conditions of `body`, those that need no body first. What has a problem is left out. */
export function compileBody(match: BodyMatch, scope: BodyScope): readonly BodyCondition[] {
  return [
    ...soapActionCondition(match, scope),
    ...jsonConditions(match, scope),
    ...formConditions(match, scope),
    ...graphqlConditions(match, scope),
    ...jsonRpcConditions(match, scope),
    ...xmlConditions(match, scope),
    ...soapConditions(match, scope),
  ];
}

function jsonConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  return Object.entries(match.json ?? {}).flatMap(([pointer, test]) => {
    const check = scope.check(test, ['json', pointer]);
    const steps = parsePointer(pointer);
    if ('message' in steps) {
      scope.problem(steps.message, ['json', pointer]);
      return [];
    }
    if (check === null) return [];
    const ask = (body: RequestMessage): boolean | Unsaid => {
      const document = body.json();
      if (typeof document === 'string') return document;
      const found = lookUp(document, steps);
      // An object is there, and is none of the values that a test may name.
      if (found === null) return check.wantsAbsent;
      return found.text === null ? test.kind === 'present' : valueHolds(found.text, check);
    };
    const actual = (body: RequestMessage): string => {
      const document = body.json();
      if (typeof document === 'string') return UNSAID[document];
      const found = lookUp(document, steps);
      return found !== null && found.text === null ? 'an object or an array' : valuesText([found?.text ?? null]);
    };
    return [condition(match, [`json ${pointer}`, check.wanted], ask, actual)];
  });
}

function formConditions(match: BodyMatch, scope: BodyScope): BodyCondition[] {
  return Object.entries(match.form ?? {}).flatMap(([name, test]) => {
    const check = scope.check(test, ['form', name]);
    if (check === null) return [];
    const valuesIn = (body: RequestMessage): readonly string[] | Unsaid => {
      const form = body.form();
      if (typeof form === 'string') return form;
      return form.fields.filter((field) => field.name === name).map(({ value }) => value);
    };
    const ask = (body: RequestMessage): boolean | Unsaid => {
      const values = valuesIn(body);
      if (typeof values === 'string') return values;
      if (values.some((value) => valueHolds(value, check))) return true;
      // What is seen of a large form decides what it can decide.
      if (check.wantsAbsent && values.length > 0) return false;
      return body.isCutShort ? 'too-large' : check.wantsAbsent;
    };
    const actual = (body: RequestMessage): string => {
      const values = valuesIn(body);
      return typeof values === 'string' ? UNSAID[values] : valuesText(values);
    };
    return [condition(match, [`form ${name}`, check.wanted], ask, actual)];
  });
}
