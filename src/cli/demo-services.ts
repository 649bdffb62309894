/** The three services that the starter configuration points to. */
export const DEMO_SERVICES = ['fine', 'slow', 'flaky'] as const;
export type DemoName = (typeof DEMO_SERVICES)[number];

export const DEMO_PORTS: Readonly<Record<DemoName, number>> = { fine: 9001, slow: 9002, flaky: 9003 };
