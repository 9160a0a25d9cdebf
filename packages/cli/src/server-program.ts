/** The part of the command line that is about servers: to run one, to look after one, and to send it work. */
import type { Role } from '@isocenter/client';
import { type Command, Option } from 'commander';
import { collect, commaList, notEmpty, positiveNumber } from './option-values.js';
import type { Act } from './program.js';

const ROLES = ['administrator', 'data-scientist', 'clinician', 'service'];

export function addServerCommands(program: Command, act: Act): void {
  const json = () => new Option('--json', 'print one JSON document instead of text');
  const place = (command: Command) =>
    command
      .optionsGroup('Which data directory:')
      .option('--home <folder>', 'data directory (ISOCENTER_HOME)', notEmpty)
      .option('--config <file>', 'configuration file; default: config.json in the data directory', notEmpty)
      .option('--set <key=value>', 'any setting that `isocenter config` lists', collect);
  const backing = (command: Command) =>
    place(command)
      .option('--database-url <url>', 'PostgreSQL to use instead of the built-in one (DATABASE_URL)', notEmpty)
      .option('--blob-store <url>', 'where bytes lie: s3://…, azure://…, gs://…; default: the data directory', notEmpty)
      .optionsGroup('Options:');
  const remote = (command: Command) =>
    command
      .optionsGroup('Which server:')
      .option('--url <address>', 'server (ISOCENTER_URL); default: the one of the data directory on this machine')
      .option('--key <key>', 'API key (ISOCENTER_KEY); the owner of the data directory needs none', notEmpty)
      .option('--home <folder>', 'data directory (ISOCENTER_HOME)', notEmpty)
      .optionsGroup('Options:')
      .addOption(json());

  program.commandsGroup('To run a server, and look after it on its machine:');
  backing(program.command('serve'))
    .option('--host <address>', 'address to listen on; default 127.0.0.1')
    .option('--port <n>', 'port for all protocols; default 8042, 0: any free one')
    .option('--workers <n>', 'jobs that the server runs itself at once; 0: leave them to `isocenter worker`')
    .description('run the server until Ctrl-C: REST API, jobs, models')
    .action((options) => act(options, async () => (await import('./commands/serve.js')).serveCommand));
  backing(program.command('worker'))
    .option('--workers <n>', 'jobs at once')
    .description('take jobs of a server, on this or another machine')
    .action((options) => act(options, async () => (await import('./commands/worker.js')).workerCommand));
  backing(program.command('config'))
    .addOption(json())
    .description('print every setting with its value and where it comes from')
    .action((options) => act(options, async () => (await import('./commands/config.js')).configCommand));
  backing(program.command('backup'))
    .argument('<file>', 'zip to write')
    .option('--force', 'replace the file')
    .addOption(json())
    .description('everything but images of patients in one file, while the server runs or not')
    .action((file, options) =>
      act({ file, ...options }, async () => (await import('./commands/backup.js')).backupCommand),
    );
  backing(program.command('restore'))
    .argument('<backup>', 'file that `isocenter backup` wrote')
    .option('--same-store', 'the server of the backup is gone for good: take its blob store over')
    .addOption(json())
    .description('fill an empty data directory or database from a backup')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/restore.js')).restoreCommand),
    );

  const audit = program.command('audit').description('the audit log of a server');
  const loadAudit = () => import('./commands/audit.js');
  backing(audit.command('verify'))
    .argument('[export]', 'file of `audit export`; left out, the database is checked')
    .option(
      '--anchor <file>',
      'an export, or what an earlier `audit verify` printed: shows when the end was cut off',
      notEmpty,
    )
    .addOption(json())
    .description('check every entry against the chain of hashes')
    .action((input, options) => act({ input, ...options }, async () => (await loadAudit()).verifyAuditCommand));
  backing(audit.command('export'))
    .argument('<file>', 'file to write, one JSON entry per line')
    .addOption(json())
    .description('the whole log for an auditor, checkable without a server')
    .action((file, options) => act({ file, ...options }, async () => (await loadAudit()).exportAuditCommand));

  program.commandsGroup('To use a server, on this machine or with --url and --key elsewhere:');
  remote(program.command('submit'))
    .argument('<input>', 'zip, tar, folder or file of DICOM, or a NIfTI or NRRD image')
    .requiredOption('--model <name>', 'model as NAME[:VERSION]', notEmpty)
    .option('--out <folder>', 'folder for the results; left out, `jobs fetch` gets them later', notEmpty)
    .option('--format <list>', 'rtstruct,seg,nifti,nrrd,png,csv,sr,sc,masks', commaList)
    .option('--series <wish>', 'SeriesInstanceUID, or number as `inspect` lists it')
    .option('--require-proof', 'fail unless every export reads back exactly')
    .option('--force', 'replace results that are already in the folder')
    .description('send a study to a server, watch its job, fetch the result')
    .action((input, options) =>
      act({ input, ...options }, async () => (await import('./commands/remote/submit.js')).submitCommand),
    );

  const models = program.command('models').description('models of a server');
  const load = () => import('./commands/remote/models.js');
  remote(models.command('list'))
    .description('all versions')
    .action((options) => act(options, async () => (await load()).listModelsCommand));
  remote(models.command('show'))
    .argument('<model>', 'NAME[:VERSION]')
    .description('one version with its structures')
    .action((model, options) => act({ model, ...options }, async () => (await load()).showModelCommand));
  remote(models.command('add'))
    .argument('<input>', 'bundle folder, bundle zip, export of another server, or .onnx')
    .option('--name <name>', 'for a raw .onnx: its name')
    .option('--model-version <version>', 'for a raw .onnx: its version')
    .option('--form <file>', 'for a raw .onnx: JSON with the fields of docs/how-to/add-models.md', notEmpty)
    .description('add a version')
    .action((input, options) => act({ input, ...options }, async () => (await load()).addModelCommand));
  remote(models.command('export'))
    .argument('<model>', 'NAME[:VERSION]')
    .requiredOption('--out <file>', 'file to write', notEmpty)
    .description('one file that `models add` of another server takes')
    .action((model, options) => act({ model, ...options }, async () => (await load()).exportModelCommand));
  for (const [change, about] of [
    ['remove', 'remove a version; refused while jobs need it'],
    ['retire', 'it takes no new jobs'],
    ['activate', 'put a retired version back into use'],
    ['warm', 'load it now, so that the first request is fast'],
    ['evict', 'give the memory of an idle model back'],
  ] as const)
    remote(models.command(change))
      .argument('<model>', 'NAME[:VERSION]')
      .description(about)
      .action((model, options) => act({ model, ...options }, async () => (await load()).changeModelCommand(change)));

  const jobs = program.command('jobs').description('the queue of a server');
  const loadJobs = () => import('./commands/remote/jobs.js');
  remote(jobs.command('list'))
    .option('--state <list>', 'queued,running,succeeded,failed,cancelled', commaList)
    .option('--model <name>', 'NAME:VERSION', notEmpty)
    .option('--all', 'more than the newest 50')
    .description('newest first')
    .action((options) => act(options, async () => (await loadJobs()).listJobsCommand));
  remote(jobs.command('show'))
    .argument('<job>', 'id')
    .description('one job with its files, or why it failed')
    .action((job, options) => act({ job, ...options }, async () => (await loadJobs()).showJobCommand));
  remote(jobs.command('fetch'))
    .argument('<job>', 'id')
    .requiredOption('--out <folder>', 'folder for the results; created when absent', notEmpty)
    .option('--force', 'replace results that are already in the folder')
    .description('its files, once it has succeeded')
    .action((job, options) => act({ job, ...options }, async () => (await loadJobs()).fetchJobCommand));
  for (const [change, about] of [
    ['cancel', 'end a job'],
    ['retry', 'run a failed job again, while its images are still there'],
  ] as const)
    remote(jobs.command(change))
      .argument('<job>', 'id')
      .description(about)
      .action((job, options) => act({ job, ...options }, async () => (await loadJobs()).changeJobCommand(change)));

  const users = program.command('users').description('people who may use a server');
  const people = () => import('./commands/remote/people.js');
  remote(users.command('list'))
    .description('all accounts')
    .action((options) => act(options, async () => (await people()).listUsersCommand));
  remote(users.command('invite'))
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES.slice(0, 3)).makeOptionMandatory())
    .option('--name <name>', 'the name that must be used', notEmpty)
    .description('print a link for one person to make their account')
    .action((options) => act(options, async () => (await people()).inviteCommand));
  const one = () => import('./commands/remote/users.js');
  const person = (name: string, about: string) =>
    remote(users.command(name)).argument('<user>', 'name or id, as `users list` shows it').description(about);
  person('role', 'change what a person may do')
    .addOption(new Option('--to <role>', 'the new role').choices(ROLES.slice(0, 3)).makeOptionMandatory())
    .action((user, options) =>
      act({ user, ...options }, async () => (await one()).changeUserCommand({ role: options.to as Role })),
    );
  person('disable', 'end their sessions and silence their keys').action((user, options) =>
    act({ user, ...options }, async () => (await one()).changeUserCommand({ disabled: true })),
  );
  person('enable', 'let them in again').action((user, options) =>
    act({ user, ...options }, async () => (await one()).changeUserCommand({ disabled: false })),
  );
  person('unlock', 'forget failed sign-ins').action((user, options) =>
    act({ user, ...options }, async () => (await one()).unlockUserCommand),
  );
  person('reset', 'print a link to set a new password').action((user, options) =>
    act({ user, ...options }, async () => (await one()).resetUserCommand),
  );
  person('remove', 'remove the account; its jobs and audit entries stay').action((user, options) =>
    act({ user, ...options }, async () => (await one()).removeUserCommand),
  );
  const keys = program.command('keys').description('API keys of programs');
  remote(keys.command('create'))
    .requiredOption('--name <name>', 'what it is for', notEmpty)
    .addOption(new Option('--role <role>', 'default service').choices(ROLES))
    .option('--scopes <list>', 'limit it to these permissions', commaList)
    .option('--days <n>', 'it ends after so many days', positiveNumber)
    .description('print a new key; it is shown this once')
    .action((options) => act(options, async () => (await people()).createKeyCommand));
  remote(keys.command('list'))
    .description('all keys, without what they are')
    .action((options) => act(options, async () => (await people()).listKeysCommand));
  remote(keys.command('revoke'))
    .argument('<id>', 'as `keys list` shows it')
    .description('it stops working at once')
    .action((id, options) => act({ id, ...options }, async () => (await people()).revokeKeyCommand));

  remote(program.command('selftest'))
    .description('a synthetic patient through a running server: contours out, compared, cleaned up')
    .action((options) => act(options, async () => (await import('./commands/remote/self-test.js')).selfTestCommand));

  for (const command of program.commands) for (const one of [command, ...command.commands]) ownOptionsFirst(one);
}

/** The help shows groups in the order of their first option: what a command is about comes before where it acts. */
function ownOptionsFirst(command: Command): void {
  const place = ({ helpGroupHeading = 'Options:' }: Option) => Number(helpGroupHeading !== 'Options:');
  (command.options as Option[]).sort((a, b) => place(a) - place(b));
}
