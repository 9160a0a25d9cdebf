/** The measuring side of our scripts: best of some repeats, and this process's own peak memory (Node included). */
export async function measured(work: () => unknown, repeats = 1): Promise<void> {
  let best = Number.POSITIVE_INFINITY;
  let check: unknown;
  for (let n = 0; n < repeats; n++) {
    const started = performance.now();
    check = await work();
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  console.log(JSON.stringify({ seconds: best, peakBytes: process.resourceUsage().maxRSS * 1024, check }));
}
