/** Marks in a bucket of S3, or of a server that speaks it. Loaded only when configured. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { cloudError } from './cloud-error.js';
import type { Marker } from './marker.js';
import { openS3Client, type S3Place } from './s3-store.js';

/** Throws BlobError `bad-setting`. */
export async function openS3Marker(place: S3Place): Promise<Marker> {
  const client = await openS3Client(place);
  const prefix = place.prefix ? `${place.prefix}/` : '';
  return {
    async mark(key, tags) {
      const object = { Bucket: place.bucket, Key: prefix + key, Tagging: String(new URLSearchParams(tags)) };
      try {
        await client.send(new PutObjectCommand({ ...object, Body: new Uint8Array(0) }));
      } catch (error) {
        throw cloudError('S3', error);
      }
    },
    close: () => client.destroy(),
  };
}
