/** Everything that can be set. The reference page and `isocenter config` are made from this table. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { defaultHome } from './home.js';
import { inferenceRoutes } from './inference-routes.js';
import { setting } from './setting.js';

const count = z.int().min(0).max(1_000_000);
const positive = z.number().positive().max(1e9);
const optionalText = z.string().min(1).optional();
const network = z.string().regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'an address or a network such as 10.1.0.0/16');
const protocol = z.strictObject({
  enabled: z.boolean().default(true),
  /** Its own port, where only its routes exist; it is also on the main port unless `mainPort` is false. */
  port: z.int().min(0).max(65535).optional(),
  mainPort: z.boolean().default(true),
  /** Default: protocolNetworks. */
  networks: z.array(network).optional(),
  mode: z.enum(['compat', 'strict']).default('compat'),
  /** Of the protocol `arterys`: what answers on which path. */
  routes: inferenceRoutes.optional(),
});
/** Blank is not set. */
const blankable = z
  .string()
  .max(4096)
  .optional()
  .transform((text) => text?.trim() || undefined);
const oidc = z.strictObject({
  issuer: z.url(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1).optional(),
  /** Claim that holds groups or roles. */
  roleClaim: z.string().min(1).default('groups'),
  /** Value of the claim → role. */
  roles: z.record(z.string(), z.enum(['administrator', 'data-scientist', 'clinician'])),
  scopes: z.string().default('openid profile'),
});

export const settings = {
  home: setting(z.string().min(1), defaultHome(), 'Data directory of this server'),
  host: setting(z.string().min(1), '127.0.0.1', 'Address to listen on; beyond loopback only once accounts exist'),
  port: setting(z.int().min(0).max(65535), 8042, 'Port for all protocols; 0: any free one'),
  publicUrl: setting(
    z.url().optional(),
    undefined,
    'Address under which browsers reach this server, when a proxy stands before it',
  ),
  trustedProxies: setting(z.array(network), [], 'Proxies whose X-Forwarded headers are believed'),
  databaseUrl: setting(optionalText, undefined, 'PostgreSQL to use instead of the built-in one', {
    secret: true,
    environment: 'DATABASE_URL',
  }),
  blobStore: setting(
    optionalText,
    undefined,
    'Where bytes lie: s3://bucket/prefix?endpoint=…, azure://container/prefix, gs://bucket/prefix; default: files in the data directory',
  ),
  requestAuditBucket: setting(
    optionalText,
    undefined,
    'Bucket, or s3://bucket/prefix?endpoint=…, in which each answer over the Arterys protocol leaves an empty object named by its hashes',
    { environment: 'S3_AUDIT_BUCKET_NAME' },
  ),
  azureConnectionString: setting(optionalText, undefined, 'For azure:// blob stores', {
    secret: true,
    environment: 'AZURE_STORAGE_CONNECTION_STRING',
  }),
  workers: setting(count, 1, 'Jobs that this process runs at once; 0: leave them to `isocenter worker`'),
  computeChildren: setting(z.int().min(1).max(256), 2, 'Runs of models at the same time, each in a process of its own'),
  warmModels: setting(
    z.int().min(1).max(256),
    6,
    'Models that stay loaded, each in its process, as far as memory allows; the longest unused goes first',
  ),
  threads: setting(z.int().min(1).max(1024), availableParallelism(), 'Processor threads for all models together'),
  memoryMegabytes: setting(
    positive.optional(),
    undefined,
    'Memory for all models together; default: what the machine or container has free',
  ),
  taskMemoryMegabytes: setting(
    positive.optional(),
    undefined,
    'Hard memory limit of one run; above it the run is ended',
  ),
  taskMinutes: setting(positive, 60, 'Hard time limit of one run'),
  idleMinutes: setting(positive, 10, 'A warm model that nobody used for this long gives its memory back'),
  maximumUploadMegabytes: setting(positive, 4096, 'Largest request body'),
  uploadsAtOnce: setting(
    z.int().min(1).max(10_000),
    64,
    'Uploads received at the same time, at most four fifths of them from one client; more are told to come back',
  ),
  diskReserveMegabytes: setting(
    positive,
    1024,
    'Uploads are refused before less than this is free on the disk; results of accepted jobs may use half of it',
  ),
  studyMinutes: setting(positive, 60, 'An uploaded study that no job uses is erased after this'),
  keepFailedInputsMinutes: setting(
    z.number().min(0).max(1e6),
    0,
    'Images of a failed job stay this long, so that it can be retried',
  ),
  resultHours: setting(positive.optional(), undefined, 'Results are erased after this; default: kept until deleted'),
  protocolNetworks: setting(
    z.array(network),
    ['127.0.0.0/8', '::1/128'],
    'Networks that may use the protocols without login',
  ),
  protocols: setting(z.record(z.string(), protocol), {}, 'Per protocol: enabled, port, networks, compat or strict'),
  environmentFile: setting(
    optionalText,
    undefined,
    'File of `NAME=value` lines from which the variables of InnerEye-Inference are taken where the environment lacks them; default: set_environment.sh in the data directory, when there is one',
  ),
  innereyeSecret: setting(
    blankable,
    undefined,
    'Shared secret of the clients of InnerEye-Inference (header API_AUTH_SECRET); without it only our API keys open that door',
    { secret: true, environment: 'CUSTOMCONNSTR_API_AUTH_SECRET' },
  ),
  innereyeExperiment: setting(blankable, 'api_inference', 'First part of the run ids of InnerEye-Inference', {
    environment: 'EXPERIMENT_NAME',
  }),
  imageDataFolder: setting(
    blankable,
    undefined,
    'Folder (relative: in the data directory) where each InnerEye run leaves {id}/imagedata.zip with the text `image data deleted` once its images are erased; default: only the audit log says it',
    { environment: 'IMAGE_DATA_FOLDER' },
  ),
  metricsNetworks: setting(z.array(network), [], 'Networks that may read /metrics without a key'),
  oidc: setting(oidc.optional(), undefined, 'Sign-in through an OpenID Connect provider', { secret: true }),
  logLevel: setting(z.enum(['debug', 'info', 'warn', 'error']), 'info', 'Least level that is logged'),
  logFormat: setting(z.enum(['auto', 'json', 'text']), 'auto', 'auto: text on a terminal, JSON otherwise'),
  noticeSeconds: setting(
    z.number().min(0).max(3600),
    0,
    'How long a stopping server still takes requests while /health/ready says no: for load balancers',
  ),
  corsOrigins: setting(z.array(z.url()), [], 'Origins of web pages elsewhere that may call the API with a key'),
  graceSeconds: setting(z.number().min(0).max(3600), 20, 'How long a stop waits for requests and runs to end'),
  tracing: setting(z.boolean(), false, 'Spans for OpenTelemetry, when @opentelemetry/api is installed and set up'),
} as const;

export type Settings = typeof settings;
