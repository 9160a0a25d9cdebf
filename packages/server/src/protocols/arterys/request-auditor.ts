/**
 * Upstream's request auditor (specs/protocols.md 4.6): for each answer an empty object in a bucket of S3, named by the hashes of
 * input and output and tagged with the vendor. Nobody waits for it; what fails is logged and not tried again.
 */
import type { Marker } from '../../blobs/marker.js';
import { openMarker } from '../../blobs/open-blob-store.js';
import { faultText } from './gateway.js';

/** Marks on their way: beyond this the bucket is slower than the answers, and memory is not to fill with waiting. */
const MOST_WAITING = 1_000;

export interface AuditedAnswer {
  readonly inputHash: string;
  readonly outputHash: string;
  readonly vendor?: string;
}

export class RequestAuditor {
  readonly #complain: (text: string) => void;
  readonly #setting: string;
  readonly #waiting = new Set<Promise<void>>();
  #marker: Promise<Marker> | undefined;

  /** `setting`: name of a bucket, or s3://bucket/prefix?endpoint=… */
  constructor(setting: string, complain: (text: string) => void) {
    this.#setting = setting;
    this.#complain = complain;
  }

  /** Never throws. */
  answered({ inputHash, outputHash, vendor = 'Unknown' }: AuditedAnswer): void {
    if (this.#waiting.size >= MOST_WAITING) {
      this.#complain('request auditor: no mark was made: too many wait for the bucket');
      return;
    }
    const work = this.#mark(`${inputHash}:${outputHash}`, vendor)
      .catch((error) => this.#complain(`request auditor: no mark was made: ${faultText(error)}`))
      .finally(() => this.#waiting.delete(work));
    this.#waiting.add(work);
  }

  /** When the marks on their way are there, or have failed. */
  async close(): Promise<void> {
    await Promise.all(this.#waiting);
    (await this.#marker?.catch(() => undefined))?.close();
  }

  async #mark(key: string, vendor: string): Promise<void> {
    // With the first answer: the vendor's SDK is slow to load.
    this.#marker ??= openMarker(this.#setting);
    await (await this.#marker).mark(key, { Vendor: vendor });
  }
}
