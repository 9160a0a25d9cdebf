/** Empty objects whose name is all that they say (@port): a trail that others read with the tools of their cloud. */
export interface Marker {
  /** `key`: no slash at its beginning. What is there is written anew. Throws BlobError. */
  mark(key: string, tags: Readonly<Record<string, string>>): Promise<void>;
  close(): void;
}
