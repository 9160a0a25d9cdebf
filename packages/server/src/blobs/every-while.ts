/** Something done again and again while something else lasts: never twice at once, never keeping the process alive. */

export function everyWhile(periodMs: number, work: () => Promise<void>): { stop(): void } {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    // A failure is the database's: the next round tries again, and the lease forgives two.
    work()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, periodMs).unref();
  return { stop: () => clearInterval(timer) };
}
