/** `isocenter serve`, which `npm start` calls: the server is a later step of the plan and says so. */
import { Failure } from '@isocenter/volume';

class UsageError extends Failure<'not-built'> {}

export async function serveCommand(): Promise<never> {
  throw new UsageError('not-built', 'The server is not built yet', {
    where: 'docs/reference/features.md, rows IE1, SG1, AR1, MC1',
    next: 'Use `isocenter segment` on files; `isocenter --help` lists what works today.',
  });
}
