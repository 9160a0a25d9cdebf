/** What adapters need beyond the core, from the configuration: accounts, jobs, studies, statements; and who ends them. */
import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { openAccounts } from '../accounts/open-accounts.js';
import { DiskSpace } from '../blobs/disk-space.js';
import { Chores } from '../chores/chores.js';
import type { ReadConfiguration } from '../configuration/configuration.js';
import { Statements } from '../feedback/statements.js';
import { openJobs } from '../jobs/open-jobs.js';
import type { Services } from '../services/services.js';
import { Studies } from '../studies/studies.js';
import type { Ending } from './ending.js';
import type { Core } from './open-core.js';
import { signInProvider } from './sign-in-provider.js';
import { HOUR_MS, MEGABYTE, MINUTE_MS } from './units.js';

export interface ServicesOptions {
  readonly configured: ReadConfiguration;
  readonly log: Logger;
  /** Stands in the address file; whoever can read that is the owner. */
  readonly localToken: string;
}

/** What was opened is ended by `ending`, also when this throws. */
export async function openServices(core: Core, ending: Ending, options: ServicesOptions): Promise<Services> {
  const { configured, log, localToken } = options;
  const configuration = configured.values;
  const { audit, blobs, compute, registry, folders } = core;
  const { db, url } = core.state;
  const provider = signInProvider(configuration);
  const accounts = openAccounts({ db, audit, localToken, ...(provider === undefined ? {} : { provider }) });
  ending.add(() => accounts.close());
  const chores = new Chores();
  ending.add(async () => chores.close());
  const { keepFailedInputsMinutes, resultHours, studyMinutes } = configuration;
  const jobs = await openJobs({
    db,
    url,
    blobs,
    audit,
    log,
    keepFailedInputsMs: keepFailedInputsMinutes * MINUTE_MS,
    ...(resultHours === undefined ? {} : { resultRetentionMs: { rest: resultHours * HOUR_MS } }),
  });
  ending.add(() => jobs.close());
  return {
    accounts,
    audit,
    blobs,
    chores,
    compute,
    configuration: configured,
    db,
    jobs,
    registry,
    statements: new Statements(db, audit),
    studies: new Studies({ db, blobs, audit, chores, keepMs: studyMinutes * MINUTE_MS }),
    temporaryFolder: folders.temporary,
    temporarySpace: new DiskSpace(async () => {
      const { bavail, bsize } = await statfs(folders.temporary);
      return bavail * bsize;
    }, configuration.diskReserveMegabytes * MEGABYTE),
  };
}
