/** Which transfer syntaxes' pixel data we decode and encode: the one table behind checks, messages and documentation. */
import {
  DEFLATED_IMAGE_FRAME,
  HTJ2K_LOSSLESS,
  JPEG_2000_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  RLE_LOSSLESS,
  transferSyntaxes,
} from '../dataset/transfer-syntax.js';

export interface PixelSupport {
  readonly name: string;
  readonly decode: boolean;
  readonly encode: boolean;
  /** Decoding a slice takes milliseconds: worth a worker thread. */
  readonly costly: boolean;
}

const ENCODED_WITHOUT_LOSS = [
  RLE_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  JPEG_2000_LOSSLESS,
  HTJ2K_LOSSLESS,
  DEFLATED_IMAGE_FRAME,
];
const CHEAP = ['native', 'none', 'rle', 'deflated-frame'];

/** By UID, every transfer syntax that PS3.6 names; those with `decode` false give 'unsupported-transfer-syntax'. */
export const supportedTransferSyntaxes: ReadonlyMap<string, PixelSupport> = new Map(
  [...transferSyntaxes.values()].map(({ uid, name, encoding }) => [
    uid,
    {
      name,
      decode: encoding !== 'none',
      encode: encoding === 'native' || ENCODED_WITHOUT_LOSS.includes(uid),
      costly: !CHEAP.includes(encoding),
    },
  ]),
);
