/** `/healthcheck` as gateways ask it: ready is 200 with the five letters READY and nothing else. */
import type { Watch } from '@isocenter/volume';
import { answerText, exchange } from './exchange.js';
import { RequestError } from './request-error.js';

export type HealthMethod = 'GET' | 'POST';

export interface Health {
  readonly method: HealthMethod;
  readonly status: number;
  readonly says: string;
  readonly milliseconds: number;
}

const READY = 'READY';
const LONGEST = 200;

/** Throws RequestError `not-ready` at the first method that does not say so, and what `exchange` throws. */
export async function checkHealth(
  url: URL,
  methods: readonly HealthMethod[],
  options: { readonly key?: string; readonly timeoutMs?: number },
  watch: Watch = {},
): Promise<Health[]> {
  const found: Health[] = [];
  for (const method of methods) {
    const began = performance.now();
    const message = await exchange({ url: new URL('/healthcheck', url), method, ...options }, watch);
    const says = await answerText(message, LONGEST);
    const status = message.statusCode ?? 0;
    if (status !== 200 || says !== READY)
      throw new RequestError(
        'not-ready',
        `The service is there, but not ready: ${method} answers HTTP ${status} ${JSON.stringify(says)}`,
        {
          where: '/healthcheck',
          next: `Ready is 200 with the body ${READY}, without a line end. Wait for it, or look at the service's log.`,
        },
      );
    found.push({ method, status, says, milliseconds: performance.now() - began });
  }
  return found;
}
