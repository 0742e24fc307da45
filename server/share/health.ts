/** Health checks: alive, and able to work. */
export const HEALTH = { alive: '/healthz', ready: '/readyz' } as const;
