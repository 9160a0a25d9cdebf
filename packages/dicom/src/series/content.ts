/** Equality of images by what they show: SHA-256 of the decoded stored values and the rescale that belongs to them. */
import { createHash } from 'node:crypto';
import { isFailure, type Watch } from '@isocenter/volume';
import { parseDicom } from '../dataset/parse.js';
import { type DecodedFrames, decodeFrames } from '../pixel/decode.js';
import type { Frame, Instance } from './frame.js';
import { forEachConcurrently } from './source.js';

/** Reads each instance once. An image that cannot be decoded gets no hash: it equals nothing, and loading will say why. */
export async function contentHashes(frames: readonly Frame[], watch?: Watch): Promise<ReadonlyMap<Frame, string>> {
  const byInstance = new Map<Instance, Frame[]>();
  for (const frame of frames) byInstance.set(frame.instance, [...(byInstance.get(frame.instance) ?? []), frame]);
  const hashes = new Map<Frame, string>();
  const hashInstance = async ([instance, members]: readonly [Instance, Frame[]]) => {
    try {
      const decoded = await decodeFrames(parseDicom(await instance.source.read()));
      for (const frame of members) hashes.set(frame, hashFrame(frame, decoded));
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  };
  // One at a time: what is compared is decoded whole, and repeats are rare.
  await forEachConcurrently([...byInstance], 1, hashInstance, watch, 'comparing repeated images');
  return hashes;
}

function hashFrame(frame: Frame, decoded: DecodedFrames): string {
  const { data } = decoded;
  const values = decoded.rows * decoded.columns * decoded.samplesPerPixel;
  const hash = createHash('sha256').update(
    JSON.stringify([decoded.pixelRepresentation, frame.rescale ?? null, frame.tile ?? null]),
  );
  const image = data.subarray(frame.index * values, (frame.index + 1) * values);
  return hash.update(new Uint8Array(image.buffer, image.byteOffset, image.byteLength)).digest('hex');
}
