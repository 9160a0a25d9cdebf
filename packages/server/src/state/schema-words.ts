/**
 * One sentence for every table and column. After migrations they become COMMENTs in the database, so that `psql \d+` shows them,
 * and from there docs/reference/database.md; its test fails where one is missing or speaks of a column that is gone.
 * Long because it is a table, in the order of the migrations: it grows by a line with each column, and by nothing else.
 */
import { type Kysely, sql } from 'kysely';
import { readTables } from './backup/catalogue.js';

interface Words {
  readonly about: string;
  readonly columns: Readonly<Record<string, string>>;
}

const actor = {
  created_by_kind: 'Kind of actor: person, key, local, protocol or system.',
  created_by_id: 'Id of the actor.',
  created_by_name: 'Name of the actor at that time.',
};

const auditColumns = {
  at: 'When it was done.',
  actor_kind: 'Kind of actor: person, key, local, protocol or system.',
  actor_id: 'Id of the actor.',
  actor_name: 'Name of the actor at that time.',
  action: 'What was done: area and verb in the past, e.g. job.created.',
  subject_kind: 'Kind of thing it was done to.',
  subject_id: 'Id of that thing; never a patient.',
  reason: 'Why, where a reason is asked for.',
  details: 'JSON text with further facts, without patient data.',
  request_id: 'Request that it was part of.',
  digest: 'SHA-256 of the canonical bytes of this entry.',
};

const report = {
  id: 'Random id.',
  number: 'Order of arrival; the key of pages.',
  protocol: 'Door it came through: rest, segint, ….',
  job_id: 'Job it speaks of, as text: old protocols name jobs that are gone.',
  model: 'name:version.',
  client: 'Program that sent it, as it names itself.',
  ...actor,
  created_at: 'When it arrived.',
};

export const schemaWords: Readonly<Record<string, Words>> = {
  schema_migration: {
    about: 'Which migrations have run.',
    columns: {
      name: 'Name of its file.',
      position: 'Its place in the order, from 0.',
      applied_at: 'When it ran.',
    },
  },
  installation: {
    about: 'One row: which installation this database belongs to.',
    columns: {
      id: 'Random, made once; part of names that must differ between installations.',
      created_at: 'When the database was first migrated.',
      singleton: 'Keeps the table at one row.',
    },
  },
  setting: {
    about: 'What administrators set while the server runs, over what its configuration says.',
    columns: {
      key: 'Dotted name.',
      value: 'JSON that fits the schema which the program has for the key.',
      updated_at: 'When it was last set.',
      updated_by: 'Id of the actor who set it.',
    },
  },
  audit_head: {
    about: 'One row: the end of the audit chain.',
    columns: {
      only: 'Keeps the table at one row.',
      log_id: 'Random id of this log, from which its first hash is made.',
      seq: 'Number of the last entry.',
      hash: 'Hash of the last entry.',
    },
  },
  audit_pending: {
    about: 'Entries of transactions that have not committed; empty to everybody else.',
    columns: { id: 'Order of insertion.', ...auditColumns },
  },
  audit_entry: {
    about: 'The audit log: append-only, each entry chained to the one before by its hash.',
    columns: {
      seq: 'Its number, from 1, without gaps.',
      ...auditColumns,
      previous: 'Hash of the entry before.',
      hash: 'SHA-256 of the previous hash, the number and the digest.',
    },
  },
  account: {
    about: 'People who may sign in, with a password or through a provider.',
    columns: {
      id: 'Random id.',
      name: 'As shown.',
      name_key: 'As compared at sign-in; null for accounts of a provider.',
      role: 'administrator, data-scientist or clinician.',
      password_hash: 'argon2id; null for accounts of a provider.',
      issuer: 'OpenID Connect provider.',
      subject: 'Id of the person at the provider.',
      disabled_at: 'Since when sign-in is refused.',
      created_at: 'When the account was made.',
      last_sign_in_at: 'Last success.',
    },
  },
  account_session: {
    about: 'Browsers that are signed in.',
    columns: {
      id: 'Random id.',
      token_hash: 'SHA-256 of the cookie.',
      account_id: 'Whose.',
      address: 'Network address that signed in.',
      created_at: 'When it signed in.',
      last_seen_at: 'Last request, from which the idle limit counts.',
      expires_at: 'When it ends, used or not.',
    },
  },
  api_key: {
    about: 'Keys of services and people.',
    columns: {
      id: 'Random id.',
      key_hash: 'SHA-256 of the key.',
      prefix: 'First characters, by which people know it again.',
      name: 'What it is for.',
      account_id: 'Whose; null: of the owner of the data directory.',
      created_by_kind: actor.created_by_kind,
      created_by_name: actor.created_by_name,
      role: 'Role it acts in.',
      scopes: 'Permissions it is limited to; null: all of its role.',
      created_at: 'When it was made.',
      expires_at: 'When it ends.',
      last_used_at: 'Last use, to the minute or so.',
      revoked_at: 'Since when it is refused.',
    },
  },
  account_link: {
    about: 'One-time links that have not been used: first setup, invitations, new passwords.',
    columns: {
      id: 'Random id.',
      token_hash: 'SHA-256 of the token in the link.',
      purpose: 'setup, invite or reset.',
      role: 'Role it gives.',
      name: 'Name it is meant for.',
      account_id: 'Whose password it sets anew.',
      created_by_kind: actor.created_by_kind,
      created_by_id: actor.created_by_id,
      created_at: 'When it was made.',
      expires_at: 'When it ends.',
    },
  },
  sign_in_place: {
    about: 'Recent sign-ins per name and address, for lockout.',
    columns: {
      place: 'Hash of name and address.',
      name_hash: 'Hash of the name: people type passwords into name fields.',
      failures: 'Failures since the last success.',
      last_at: 'Last attempt.',
      locked_until: 'Until when attempts are refused.',
      succeeded_at: 'Last success from there.',
    },
  },
  provider_login: {
    about: 'Sign-ins that are at the provider now.',
    columns: {
      cookie_hash: 'SHA-256 of the cookie of the browser that was sent there.',
      state: 'OAuth state.',
      nonce: 'OpenID Connect nonce.',
      verifier: 'PKCE verifier.',
      return_to: 'Page to show afterwards.',
      expires_at: 'When it counts as given up.',
    },
  },
  blob_installation: {
    about: 'One row: the id that all keys of this installation begin with.',
    columns: { id: 'Random, made once.' },
  },
  blob: {
    about: 'Every object in the blob store; the row is written before the bytes.',
    columns: {
      id: 'Random id.',
      key: 'Where its bytes lie in the blob store.',
      purpose: 'upload, study, result, weights or export; the first two are images of patients.',
      state: 'writing, stored, erasing or erased.',
      bytes: 'Length, once stored.',
      sha256: 'Hash of the bytes in hexadecimal, once stored.',
      created_at: 'When writing began.',
      created_by_kind: actor.created_by_kind,
      created_by: actor.created_by_id,
      due_at:
        "writing: end of the writer's lease; stored: when it counts as abandoned, or its release; erasing: next attempt; erased: when the row goes; null: somebody keeps it.",
      released_at: 'When its last keeper let it go.',
      release_reason: 'Why, for the audit log.',
      failures: 'Attempts to erase that failed.',
      erased_at: 'When its bytes were gone.',
    },
  },
  blob_owner: {
    about: 'Who keeps a blob.',
    columns: {
      blob_id: 'Which blob.',
      kind: 'job, study, model or result.',
      owner_id: 'Id of that thing.',
      kept_at: 'Since when.',
      released_at: 'Until when.',
    },
  },
  blob_use: {
    about: 'Readers that need the bytes now; a lease, because readers die too.',
    columns: { id: 'Random id.', blob_id: 'Which blob.', until: 'When the lease ends unless renewed.' },
  },
  model_family: {
    about: 'Models that do the same thing, whatever their version.',
    columns: {
      id: 'Random id.',
      canonical_name: 'The name of name:version.',
      language_code: 'Language of the texts.',
      name: 'Name for people.',
      description: 'What it does.',
      clinical_domain: 'e.g. radiation oncology.',
      anatomical_region: 'e.g. head and neck.',
      primary_structure: 'The structure it is made for.',
      modalities: 'Modalities as text.',
      input_channels: 'Channels with what their images must be like.',
      body_parts_examined: 'Parts of the body that images may show.',
      gender: 'Patients it is made for.',
      protobuf: 'Message that a SegInt client stored.',
      created_at: 'When its first version was added.',
      updated_at: 'Last change.',
    },
  },
  model_version: {
    about: 'A bundle: what runs. Removed only when no job needs it.',
    columns: {
      id: 'Random id.',
      number: 'Order of adding; the key of pages.',
      family_id: 'Its family.',
      address: 'name:version.',
      name: 'First half of the address.',
      version: 'Second half of the address.',
      state: 'active or retired; retired ones take no new jobs.',
      origin: 'added, or shipped with the program.',
      kind: 'segmentation, classification or regression.',
      takes: 'images, or features (a vector of numbers).',
      version_id: 'Id that SegInt clients see.',
      description: 'What is special about it.',
      created_on: 'When the model was made, as its maker says.',
      credits_required: 'Price of a run in the units of SegInt.',
      major_version: 'Number that SegInt clients see.',
      minor_version: 'Number that SegInt clients see.',
      language_code: 'Language of the texts.',
      regulatory_frameworks: 'Status, UDI, manufacturer and date per framework.',
      regulatory_status: 'Free text that is written into every object.',
      manufacturer: 'Written into every object.',
      model_name: 'Written into every object.',
      intended_use: 'What it is meant for.',
      classes: 'Names of classes, for classification.',
      channels: 'Channels of its input: name, modalities, units.',
      sha256: 'Hash of the canonical zip of the bundle.',
      bytes: 'Length of that zip.',
      weights_sha256: "Hash of the network's weights; none without.",
      files: 'Path, length and hash of each file of the bundle.',
      problem: 'Why this program cannot run it.',
      blob_id: 'Where the zip lies; null for shipped ones.',
      shipped_folder: 'Folder in the program, for shipped ones.',
      module_blob_id: 'Python module that was uploaded with it: stored, never run.',
      module_name: 'File name of the module.',
      module_sha256: 'Hash of the module.',
      module_bytes: 'Length of the module.',
      added_by: 'Who added it.',
      added_at: 'When it was added.',
      updated_at: 'Last change.',
    },
  },
  model_structure: {
    about: 'What a version segments.',
    columns: {
      version_uuid: 'Its version.',
      position: 'Its place in the list, from 0.',
      label: 'Value in the label map.',
      name: 'Name in the objects that are written.',
      colour: 'sRGB, three bytes.',
      type: "SegInt's type of structure.",
      interpreted_type: 'RT ROI Interpreted Type in the objects that are written.',
      fma_code: 'Foundational Model of Anatomy; 0: not known.',
      code: 'Coded concept: value, scheme, meaning.',
      input_channel_id: 'Channel whose grid the mask has.',
      structure_id: 'Id that SegInt clients see.',
    },
  },
  job: {
    about: 'Durable work. A queued one also has a message in the schema of pg-boss.',
    columns: {
      id: 'Random id.',
      kind: 'Which handler does it, e.g. segment.',
      state: 'queued, running, succeeded, failed or cancelled.',
      priority: 'Higher first, -100 to 100.',
      protocol: 'Door it came through: rest, innereye, segint, ….',
      requester_kind: actor.created_by_kind,
      requester_id: actor.created_by_id,
      requester_name: actor.created_by_name,
      model: 'name:version.',
      model_version_id: 'Version that it runs.',
      input_blob_ids: 'Blobs of its input.',
      inputs_kept: 'The inputs are still there.',
      inputs_kept_until: "End of a failed job's grace, in which it can be tried again.",
      input_bytes: 'Length of the inputs together, for the forecast of time.',
      parameters: 'What was wished, as the handler reads it.',
      request_id: 'Request that made it.',
      external_id: 'Id under which clients of its protocol know it.',
      idempotency_key: 'The same key of the same requester gives the same job.',
      attempts: 'How often it was begun.',
      max_attempts: 'How often it may be begun.',
      message_id: 'Its pg-boss message while it is queued.',
      worker: 'Worker that runs it.',
      claim: 'New at each taking: who does not hold it may write nothing.',
      cancel_requested_at: 'When somebody asked for its end.',
      cancel_reason: 'Why.',
      step: 'Step that it is in.',
      fraction: 'Done of the whole, 0 to 1.',
      seconds_left: 'Forecast of the rest.',
      step_seconds: 'What each step took, from which forecasts learn.',
      failure: 'Kind, message, place and next step.',
      report: 'What the handler says about the result.',
      created_at: 'When it was accepted.',
      started_at: 'When it first ran.',
      finished_at: 'When it ended, in whatever state.',
      results_erased_at: 'When its results had served their time.',
    },
  },
  job_file: {
    about: 'Result files, in their order.',
    columns: {
      job_id: 'Its job.',
      ordinal: 'Its place in the list, from 0.',
      name: 'File name, made by us.',
      media_type: 'Media type.',
      bytes: 'Length.',
      sha256: 'Hash of the bytes in hexadecimal.',
      blob_id: 'Where the bytes lie.',
    },
  },
  job_worker: {
    about: 'Workers that are alive, or died a moment ago.',
    columns: {
      id: 'Random, new at each start.',
      host: 'Name of its machine.',
      pid: 'Its process there.',
      slots: 'Jobs that it runs at once.',
      started_at: 'When it started.',
      heartbeat_at: 'Last sign of life; without one its jobs are taken away.',
    },
  },
  study: {
    about: 'Studies that were uploaded once for several jobs; images of patients.',
    columns: {
      id: 'Random id.',
      number: 'Order of arrival; the key of pages.',
      blob_id: 'Where the bytes lie.',
      bytes: 'Length.',
      sha256: 'Hash of the bytes in hexadecimal.',
      ...actor,
      created_at: 'When it arrived.',
      expires_at: 'Moved by each use; erased when it has passed and no job runs on the study.',
    },
  },
  study_job: {
    about: 'Which jobs were made of an uploaded study.',
    columns: { study_id: 'The study.', job_id: 'The job.' },
  },
  feedback: {
    about: 'What people said about results.',
    columns: {
      ...report,
      accepted: 'The result was usable.',
      comments: 'Free text.',
      score: 'Mark, on the scale of the client.',
      structures: 'The same per structure.',
    },
  },
  telemetry: {
    about: 'What clients measured on their side.',
    columns: {
      ...report,
      upload_ms: 'Time of sending.',
      wait_ms: 'Time of waiting for the result.',
      download_ms: 'Time of fetching the result.',
      retries: 'Attempts after the first.',
      error: 'Kind of error, or none.',
      error_information: 'What the client adds.',
    },
  },
};

/** Writes the sentences into the database, for those tables and columns that it has. */
export async function writeSchemaWords<T>(db: Kysely<T>): Promise<void> {
  const statements: string[] = [];
  for (const { name, columns } of await readTables(db)) {
    const words = schemaWords[name];
    if (!words) continue;
    statements.push(`comment on table "${name}" is ${quoted(words.about)}`);
    for (const column of columns) {
      const text = words.columns[column.name];
      if (text) statements.push(`comment on column "${name}"."${column.name}" is ${quoted(text)}`);
    }
  }
  if (statements.length > 0) await sql.raw(statements.join(';')).execute(db);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
