// A handler for tests whose parameters say what it does; plain JavaScript, because worker processes of tests load it
// without a build step. Steps: wait (sleepMs, in the first attempt firstSleepMs), then spin, throw, or write `text` into a result file.
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '@isocenter/volume';

const PIECES = 10;

/** `journal`: a file that gets a line `id attempt event time` at each start and end of a run. */
export function fakeHandler({ kind = 'fake', journal, steps } = {}) {
  const note = (job, event) =>
    journal ? appendFile(journal, `${job.id} ${job.attempts} ${event} ${Date.now()} ${process.pid}\n`) : undefined;
  return {
    kind,
    steps: steps ?? [
      { step: 'wait', share: 0.8 },
      { step: 'write', share: 0.2 },
    ],
    async run(job, { signal, progress, workFolder }) {
      const wish = job.parameters;
      const sleepMs = (job.attempts === 1 ? wish.firstSleepMs : undefined) ?? wish.sleepMs ?? 0;
      await note(job, 'started');
      for (let piece = 0; piece < PIECES; piece++) {
        progress('wait', piece, PIECES);
        if (sleepMs) await delay(sleepMs / PIECES, undefined, { signal: wish.deaf ? undefined : signal });
      }
      if (wish.spinMs) for (const until = Date.now() + wish.spinMs; Date.now() < until; );
      if (wish.failKind && job.attempts <= (wish.failures ?? Number.POSITIVE_INFINITY))
        throw new Failure(wish.failKind, 'It was asked to fail', { next: 'Ask for something else.' });
      if (wish.throwText) throw new Error(wish.throwText);
      if (wish.dieWhenPast && job.attempts <= wish.dieWhenPast) process.kill(process.pid, 'SIGKILL');
      progress('write', 0, 1);
      await writeFile(join(workFolder, 'answer.txt'), `${wish.text ?? 'done'}\n`);
      if (wish.writeMs) await delay(wish.writeMs, undefined, { signal: wish.deaf ? undefined : signal });
      await note(job, 'ended');
      return {
        report: { text: wish.text ?? 'done', attempt: job.attempts },
        files: [{ path: join(workFolder, 'answer.txt'), name: 'answer.txt', mediaType: 'text/plain' }],
      };
    },
    retryable: (error) => error.kind === 'passing',
  };
}
