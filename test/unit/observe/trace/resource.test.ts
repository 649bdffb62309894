import { expect, test } from 'vitest';
import { parseResourceAttributes, resourceOf } from '../../../../src/observe/trace/resource.ts';

function resource(environment: Record<string, string>, configured: Record<string, string> = {}) {
  const { attributes } = JSON.parse(resourceOf({ version: '1.2', instance: 'i', configured, environment })) as {
    attributes: { key: string; value: { stringValue: string } }[];
  };
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

test('a gateway says who it is; the configuration knows better, and the environment best', () => {
  const own = { 'service.name': 'headgate', 'service.version': '1.2', 'service.instance.id': 'i' };
  expect(resource({})).toEqual(own);
  const configured = { 'service.name': 'edge', team: 'web' };
  expect(resource({}, configured)).toEqual({ ...own, ...configured });
  const environment = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=b%20c', OTEL_SERVICE_NAME: 'd' };
  expect(resource(environment, configured)).toEqual({ ...own, 'service.name': 'd', team: 'b c' });
});

test('what is malformed in OTEL_RESOURCE_ATTRIBUTES takes only itself out', () => {
  expect(parseResourceAttributes(' a = 1 ,b,c=%zz,d=1=2,=3,e=')).toEqual({ a: '1', e: '' });
});
