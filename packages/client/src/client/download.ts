/** A download whose bytes have not been read yet: as a stream, or all at once. */
export interface Download {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes of this answer, when the server said so. */
  readonly bytes?: number;
  readonly mediaType: string;
  /** The name that the server suggests. */
  readonly name?: string;
  /** Quoted, as `If-None-Match` takes it. */
  readonly etag?: string;
  /** Reads all of it into memory. */
  read(): Promise<Uint8Array>;
}

export function downloadOf(response: Response): Download {
  const length = response.headers.get('content-length');
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const etag = response.headers.get('etag');
  return {
    stream: response.body ?? new ReadableStream({ start: (controller) => controller.close() }),
    mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
    ...(length === null ? {} : { bytes: Number(length) }),
    ...(name === undefined ? {} : { name }),
    ...(etag === null ? {} : { etag }),
    async read() {
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}
