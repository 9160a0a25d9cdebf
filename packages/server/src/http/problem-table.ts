/**
 * Error class and kind → HTTP status and title: the one place where a status is chosen. A kind that is not listed has
 * the status of its class; a class that is not listed is a defect of ours.
 */
export interface StatusRule {
  readonly status: number;
  /** For Retry-After, when waiting helps and the error itself does not say how long. */
  readonly retryAfterSeconds?: number;
}

export interface ClassRule extends StatusRule {
  /** First part of the problem's type: `/problems/<area>/<kind>`. */
  readonly area: string;
  readonly kinds?: Readonly<Record<string, StatusRule>>;
}

const at = (status: number, retryAfterSeconds?: number): StatusRule =>
  retryAfterSeconds === undefined ? { status } : { status, retryAfterSeconds };

const BUSY_SECONDS = 5;
const LOCKED_SECONDS = 60;
const busy = at(503, BUSY_SECONDS);

/** The request was understood, and what was sent cannot be worked with. */
const input = (area: string): ClassRule => ({ area, status: 422 });

export const problemTable: Readonly<Record<string, ClassRule>> = {
  HttpError: {
    area: 'http',
    status: 400,
    kinds: {
      unauthenticated: at(401),
      forbidden: at(403),
      'cross-site': at(403),
      'not-found': at(404),
      'method-not-allowed': at(405),
      timeout: at(408),
      'slow-body': at(408),
      'too-large': at(413),
      'path-too-long': at(414),
      'unsupported-media-type': at(415),
      'unsupported-encoding': at(415),
      range: at(416),
      misdirected: at(421),
      'headers-too-large': at(431),
      'too-many-uploads': busy,
      'too-many-connections': busy,
      'port-taken': at(500),
      'port-forbidden': at(500),
      'bad-address': at(500),
      'no-accounts': at(500),
    },
  },
  AccountError: {
    area: 'accounts',
    status: 400,
    kinds: {
      locked: at(429, LOCKED_SECONDS),
      'rate-limited': at(429, LOCKED_SECONDS),
      'wrong-credentials': at(401),
      busy,
      forbidden: at(403),
      'no-access': at(403),
      'not-found': at(404),
      'name-taken': at(409),
      'last-administrator': at(409),
      'bad-invite': at(410),
      'bad-key': at(400),
      'no-accounts': at(500),
      'bad-network': at(500),
      'bad-settings': at(500),
      'bad-login': at(401),
      'provider-refused': at(401),
      'provider-unavailable': at(502),
    },
  },
  AuditError: { area: 'audit', status: 500, kinds: { cancelled: busy } },
  BlobError: {
    area: 'blobs',
    status: 500,
    kinds: {
      'not-found': at(404),
      cancelled: at(408),
      'too-large': at(413),
      'bad-range': at(416),
      'store-unavailable': busy,
      'no-space': at(507),
    },
  },
  ComputeError: {
    area: 'compute',
    status: 500,
    kinds: { busy, cancelled: busy, 'time-limit': at(503), 'memory-limit': at(507), 'temporary-folder': at(507) },
  },
  ForecastError: { area: 'compute', status: 507 },
  JobError: {
    area: 'jobs',
    status: 400,
    kinds: {
      forbidden: at(403),
      'not-found': at(404),
      ended: at(409),
      'not-ended': at(409),
      'input-gone': at(410),
      'message-lost': at(500),
    },
  },
  RegistryError: {
    area: 'models',
    status: 422,
    kinds: {
      'not-found': at(404),
      'address-taken': at(409),
      'in-use': at(409),
      shipped: at(409),
      'checksum-mismatch': at(500),
      'too-large': at(413),
      'not-here': at(503),
    },
  },
  SegintError: {
    area: 'segint',
    status: 400,
    kinds: {
      'wrong-method': at(405),
      'unknown-model': at(404),
      'unknown-job': at(404),
      'no-result': at(409),
      'cannot-build': at(406),
    },
  },
  SegintJobError: input('segint'),
  MessageError: { area: 'messages', status: 400 },
  RestError: {
    area: 'rest',
    status: 400,
    kinds: {
      busy,
      'priority-not-allowed': at(403),
      'not-found': at(404),
      'no-result': at(409),
      'needs-images': at(409),
      'not-changeable': at(409),
      'model-not-usable': at(422),
    },
  },
  StudyError: { area: 'studies', status: 400, kinds: { 'not-found': at(404), forbidden: at(403), 'in-use': at(409) } },
  ArterysError: {
    area: 'arterys',
    status: 400,
    kinds: {
      'no-images': at(422),
      'left-out': at(422),
      'answer-too-large': at(422),
      'inconsistent-answer': at(500),
      'handler-failed': at(500),
      'handler-time-limit': at(500),
      'bad-route': at(500),
      busy,
    },
  },
  MultipartError: {
    area: 'multipart',
    status: 400,
    kinds: { 'too-large': at(413), 'too-many-parts': at(413), 'not-text': at(500) },
  },
  PagingError: { area: 'rest', status: 400 },
  ChoresError: {
    area: 'chores',
    status: 500,
    kinds: { busy, cancelled: busy, 'time-limit': at(422), crashed: at(422) },
  },
  ChoreError: { area: 'chores', status: 500, kinds: { 'no-layers': at(409) } },
  StateError: { area: 'state', status: 500, kinds: { unavailable: busy } },
  ConfigurationError: { area: 'settings', status: 400 },
  OutputError: { area: 'output', status: 500, kinds: { 'disk-full': at(507) } },
  ArchiveError: { ...input('archive'), kinds: { 'spool-failed': at(507) } },
  BundleError: input('bundle'),
  ConfigError: input('bundle'),
  ContourError: input('contour'),
  DicomError: input('dicom'),
  EncodeError: input('encode'),
  ExpressionError: input('bundle'),
  FormatError: input('format'),
  GeometryError: input('geometry'),
  InnerEyeError: { area: 'innereye', status: 404, kinds: { 'model-not-usable': at(422) } },
  InfererError: input('bundle'),
  IntakeError: input('intake'),
  PhantomError: input('phantom'),
  PredictError: input('predict'),
  ProofError: input('proof'),
  RuntimeFailure: { ...input('runtime'), kinds: { closed: busy } },
  SegmentError: input('segment'),
  SegmentJobError: input('segment'),
  SeriesError: input('series'),
  StructuresError: input('structures'),
  TransformError: input('bundle'),
};

export const titles: Readonly<Record<number, string>> = {
  400: 'The request is not right',
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'Not found',
  405: 'This method is not for this address',
  406: 'There is no such answer',
  408: 'The request took too long',
  409: 'Not possible in the present state',
  410: 'No longer there',
  413: 'Too large',
  414: 'The address is too long',
  415: 'This kind of content is not taken here',
  416: 'This range does not exist',
  421: 'Not a name of this server',
  422: 'The content cannot be worked with',
  429: 'Too many attempts',
  431: 'The headers are too large',
  500: 'A defect of Isocenter',
  502: 'The other side does not answer',
  503: 'Not available at the moment',
  507: 'Not enough room',
};
