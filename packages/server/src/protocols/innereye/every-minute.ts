/** Work that a protocol does between requests, for as long as its port is open. */
import type { FastifyInstance } from 'fastify';
import { describeDefect } from '../../defects/describe-defect.js';

const MINUTE_MS = 60_000;

/** At the start, and each minute; one at a time. What it throws is logged, and the next turn tries again. */
export function everyMinute(app: FastifyInstance, work: () => Promise<void>): void {
  let running = Promise.resolve();
  const turn = () => {
    running = running.then(work).catch((error: unknown) => {
      app.context.log.error({ defect: describeDefect(error) }, 'regular work of a protocol');
    });
  };
  let timer: NodeJS.Timeout | undefined;
  app.addHook('onReady', async () => {
    turn();
    timer = setInterval(turn, MINUTE_MS);
    timer.unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await running;
  });
}
