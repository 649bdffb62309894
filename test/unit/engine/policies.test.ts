import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RoutePlan, Snapshot } from '../../../src/engine/snapshot.ts';
import { clientGone, GatewayError } from '../../../src/errors.ts';
import type { ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { ADMIT_PHASES, type AdmitPhase, type AdmitPolicy, inOrder, type Verdict } from '../../../src/policy/admit.ts';
import type { PolicyPlan } from '../../../src/policy/policy-plan.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine, snapshotOf } from '../../kit/scripted-engine.ts';
import { ScriptedTransport } from '../../kit/scripted-transport.ts';

type Said = 'go on' | 'refuse' | 'reply';

/** What one policy does: at once, or after somebody was asked. */
interface Script {
  readonly phase: AdmitPhase;
  readonly says: Said;
  readonly asks: 'nobody' | 'answers at once' | 'answers later';
}

const script: fc.Arbitrary<Script> = fc.record({
  phase: fc.constantFrom(...ADMIT_PHASES),
  says: fc.oneof({ weight: 6, arbitrary: fc.constant('go on' as const) }, fc.constantFrom('refuse' as const, 'reply')),
  asks: fc.constantFrom('nobody', 'answers at once', 'answers later'),
});

const denied = new GatewayError('http_request_denied', { blame: 'client', status: 403, reason: 'denied' });

function verdictOf(says: Said): Verdict | null {
  if (says === 'go on') return null;
  if (says === 'refuse') return { kind: 'refuse', error: denied };
  return { kind: 'reply', reply: { status: 204, headers: [], body: null, reason: 'replied', error: null } };
}

/** Policies by their scripts, and what became of them. */
class Scene {
  readonly asked: number[] = [];
  readonly released: number[] = [];
  cancelled = 0;
  /** Answers the one that is waited for. */
  answer: (() => void) | null = null;

  policy({ phase, says, asks }: Script, index: number): AdmitPolicy {
    return {
      phase,
      policy: `policy-${index}`,
      admit: (request) => {
        this.asked.push(index);
        request.atEnd(() => this.released.push(index));
        if (asks === 'nobody') return verdictOf(says);
        return {
          kind: 'consult',
          consultation: {
            whom: 'somebody',
            begin: (done) => {
              if (asks === 'answers at once') done(verdictOf(says));
              else this.answer = () => done(verdictOf(says));
            },
            cancel: () => {
              this.cancelled += 1;
            },
          },
        };
      },
    };
  }
}

function snapshotWith(policies: readonly AdmitPolicy[]): Snapshot {
  const snapshot = snapshotOf({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['127.0.0.1:1'] } },
    routes: [{ name: 'all', pool: 'shop' }],
  });
  const rules = snapshot.listeners.get('web');
  if (rules === undefined) throw new Error('The listener is missing');
  const nothing = {
    editRequest: null,
    inbound: null,
    transforms: null,
    errorPages: null,
    servedInMaintenance: null,
    bodyLimitBytes: null,
  };
  const byPhase = Object.fromEntries(
    ADMIT_PHASES.map((phase) => [phase, policies.filter((one) => one.phase === phase)]),
  );
  const base: PolicyPlan = { ...nothing, admit: inOrder(byPhase), states: [], identityFields: [] };
  const table = RouteTable.of<RoutePlan>(
    rules.table.compiled.map(({ rule }) => ({ ...rule, plan: { ...rule.plan, policies: { base, on: null } } })),
  );
  return { ...snapshot, listeners: new Map([['web', { ...rules, table }]]) };
}

test('policies are asked in the order of their phases until one objects, whoever has to wait, and a client that leaves ends it', () => {
  fc.assert(
    fc.property(fc.array(script, { maxLength: 8 }), fc.integer({ min: 0, max: 8 }), (scripts, leavesAt) => {
      const scene = new Scene();
      const order = scripts
        .map((one, index) => ({ ...one, index }))
        .sort((a, b) => ADMIT_PHASES.indexOf(a.phase) - ADMIT_PHASES.indexOf(b.phase) || a.index - b.index);
      const transport = new ScriptedTransport();
      const records: ExchangeRecord[] = [];
      const engine = scriptedEngine(snapshotWith(scripts.map((one, index) => scene.policy(one, index))), {
        transport,
        clock: new ManualClock(),
        finished: (record) => records.push(record),
      });
      const client = new ScriptedClient({ method: 'GET', target: '/', headers: ['Host', 'shop.test'] });
      engine.handle(client.exchange);
      let waits = 0;
      let left = false;
      while (scene.answer !== null && !left) {
        const { answer } = scene;
        scene.answer = null;
        if (waits === leavesAt) {
          client.exchange.onClientGone?.(clientGone());
          left = true;
        }
        // Late answers are nobody's business any more.
        answer();
        waits += 1;
      }
      const stop = order.findIndex(({ says }) => says !== 'go on');
      const met = stop === -1 ? order : order.slice(0, stop + 1);
      const waiting = met.filter(({ asks }) => asks === 'answers later');
      const reached = left ? met.slice(0, met.indexOf(waiting[leavesAt] ?? (met[0] as (typeof met)[number])) + 1) : met;
      expect(scene.asked).toEqual(reached.map(({ index }) => index));
      expect(scene.cancelled).toBe(left ? 1 : 0);
      const last = left ? null : met[stop];
      const forwards = !left && last === undefined;
      const { attempts } = transport;
      expect(attempts).toHaveLength(forwards ? 1 : 0);
      if (forwards) {
        attempts[0]?.head({ status: 200, headers: [] });
        attempts[0]?.end();
      }
      expect(records).toHaveLength(1);
      const status = left ? 499 : forwards ? 200 : last?.says === 'refuse' ? 403 : 204;
      expect(records[0]?.status).toBe(status);
      expect(records[0]?.policy).toBe(last === null || last === undefined ? null : `policy-${last.index}`);
      expect(scene.released).toEqual(scene.asked);
    }),
    { seed: 7, numRuns: 300 },
  );
});
