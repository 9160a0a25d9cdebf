/** Every limit of the HTTP border by name, with its reason. Sizes in bytes, times in milliseconds. */
export interface HttpLimits {
  readonly headerBytes: number;
  readonly urlBytes: number;
  readonly jsonBytes: number;
  readonly jsonDepth: number;
  readonly uploadBytes: number;
  readonly uploads: number;
  readonly headersMs: number;
  readonly idleMs: number;
  readonly bodyMs: number;
  readonly slowGraceMs: number;
  readonly slowBytesPerSecond: number;
  readonly lingerMs: number;
  readonly lingerIdleMs: number;
  readonly connections: number;
  readonly reservedConnections: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
}

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

export const defaultLimits: HttpLimits = Object.freeze({
  /** All header lines of a request together: node's own default; a browser with cookies stays under 8 KB. */
  headerBytes: 16 * KILOBYTE,
  /** Longest URL; ids and cursors need a few hundred bytes. */
  urlBytes: 4 * KILOBYTE,
  /** No JSON of the API comes near; larger things are uploads. */
  jsonBytes: MEGABYTE,
  /** Arrays and objects inside one another; our deepest schema has six levels. */
  jsonDepth: 64,
  /** A zip of 4,000 uncompressed CT slices is 2 GB. */
  uploadBytes: 4 * KILOBYTE * MEGABYTE,
  /** Uploads that are written at the same time; each holds about a MB of buffers. 52 of them for one client: upload-gate.ts. */
  uploads: 64,
  /** From the connection's start (or the last answer) to the end of the headers. */
  headersMs: 15_000,
  /** An open connection without a request. Longer than the 60 s of common load balancers, so that they close first. */
  idleMs: 72_000,
  /** A whole body that is no upload. */
  bodyMs: 30_000,
  /** An upload may be slow this long before its rate counts: VPNs start slowly. */
  slowGraceMs: 10_000,
  /** Less than a modem: only somebody who holds the connection on purpose. */
  slowBytesPerSecond: KILOBYTE,
  /** After an early refusal the rest of the body is read and dropped this long, so that the client sees the answer… */
  lingerMs: 30_000,
  /** …as long as bytes come at least this often. */
  lingerIdleMs: 5_000,
  /** Connections at the same time; over it requests get 503, except for health, which uses the reserve. */
  connections: 4_000,
  reservedConnections: 64,
  /** A comment line in quiet event streams, under the 60 s after which proxies cut. */
  heartbeatMs: 15_000,
  /** An answer of which the client takes nothing for this long is cut. */
  stallMs: 60_000,
});
