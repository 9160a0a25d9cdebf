/** Transfer syntaxes (PS3.5 annex A, PS3.6 table A-1): how each lays out the data set and what its pixel data is. */

export type PixelEncoding =
  | 'native'
  | 'rle'
  | 'jpeg'
  | 'jpeg-ls'
  | 'jpeg-2000'
  | 'htj2k'
  | 'deflated-frame'
  | 'jpeg-xl'
  | 'none';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  /** The whole data set is deflated after the meta group (PS3.5 A.5). */
  readonly deflated: boolean;
  readonly encoding: PixelEncoding;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const DEFLATED_IMAGE_FRAME = '1.2.840.10008.1.2.8.1';
export const RLE_LOSSLESS = '1.2.840.10008.1.2.5';
export const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
export const JPEG_LOSSLESS_SV1 = '1.2.840.10008.1.2.4.70';
export const JPEG_LS_LOSSLESS = '1.2.840.10008.1.2.4.80';
export const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';
export const HTJ2K_LOSSLESS = '1.2.840.10008.1.2.4.201';

const ENCAPSULATED: readonly [string, string, PixelEncoding][] = [
  [JPEG_BASELINE, 'JPEG Baseline (Process 1)', 'jpeg'],
  ['1.2.840.10008.1.2.4.51', 'JPEG Extended (Process 2 & 4)', 'jpeg'],
  ['1.2.840.10008.1.2.4.53', 'JPEG Spectral Selection (Process 6 & 8, retired)', 'jpeg'],
  ['1.2.840.10008.1.2.4.55', 'JPEG Full Progression (Process 10 & 12, retired)', 'jpeg'],
  ['1.2.840.10008.1.2.4.57', 'JPEG Lossless (Process 14)', 'jpeg'],
  [JPEG_LOSSLESS_SV1, 'JPEG Lossless First-Order Prediction (Process 14 SV1)', 'jpeg'],
  [JPEG_LS_LOSSLESS, 'JPEG-LS Lossless', 'jpeg-ls'],
  ['1.2.840.10008.1.2.4.81', 'JPEG-LS Near-Lossless', 'jpeg-ls'],
  [JPEG_2000_LOSSLESS, 'JPEG 2000 Lossless', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.91', 'JPEG 2000', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.92', 'JPEG 2000 Part 2 Multi-component Lossless', 'none'],
  ['1.2.840.10008.1.2.4.93', 'JPEG 2000 Part 2 Multi-component', 'none'],
  ['1.2.840.10008.1.2.4.94', 'JPIP Referenced', 'none'],
  ['1.2.840.10008.1.2.4.95', 'JPIP Referenced Deflate', 'none'],
  ['1.2.840.10008.1.2.4.100', 'MPEG2 Main Profile Main Level', 'none'],
  ['1.2.840.10008.1.2.4.101', 'MPEG2 Main Profile High Level', 'none'],
  ['1.2.840.10008.1.2.4.102', 'MPEG-4 AVC/H.264 High Profile Level 4.1', 'none'],
  ['1.2.840.10008.1.2.4.103', 'MPEG-4 AVC/H.264 BD-compatible High Profile Level 4.1', 'none'],
  ['1.2.840.10008.1.2.4.104', 'MPEG-4 AVC/H.264 High Profile Level 4.2 for 2D Video', 'none'],
  ['1.2.840.10008.1.2.4.105', 'MPEG-4 AVC/H.264 High Profile Level 4.2 for 3D Video', 'none'],
  ['1.2.840.10008.1.2.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile Level 4.2', 'none'],
  ['1.2.840.10008.1.2.4.107', 'HEVC/H.265 Main Profile Level 5.1', 'none'],
  ['1.2.840.10008.1.2.4.108', 'HEVC/H.265 Main 10 Profile Level 5.1', 'none'],
  ['1.2.840.10008.1.2.4.110', 'JPEG XL Lossless', 'jpeg-xl'],
  ['1.2.840.10008.1.2.4.111', 'JPEG XL JPEG Recompression', 'none'],
  ['1.2.840.10008.1.2.4.112', 'JPEG XL', 'jpeg-xl'],
  [HTJ2K_LOSSLESS, 'High-Throughput JPEG 2000 Lossless', 'htj2k'],
  ['1.2.840.10008.1.2.4.202', 'High-Throughput JPEG 2000 with RPCL Lossless', 'htj2k'],
  ['1.2.840.10008.1.2.4.203', 'High-Throughput JPEG 2000', 'htj2k'],
  [RLE_LOSSLESS, 'RLE Lossless', 'rle'],
  [DEFLATED_IMAGE_FRAME, 'Deflated Image Frame Compression', 'deflated-frame'],
];

const NATIVE: readonly TransferSyntax[] = [
  native(IMPLICIT_VR_LITTLE_ENDIAN, 'Implicit VR Little Endian', false, true, false),
  native(EXPLICIT_VR_LITTLE_ENDIAN, 'Explicit VR Little Endian', true, true, false),
  native(EXPLICIT_VR_BIG_ENDIAN, 'Explicit VR Big Endian (retired)', true, false, false),
  native(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, 'Deflated Explicit VR Little Endian', true, true, true),
];

function native(
  uid: string,
  name: string,
  explicit: boolean,
  littleEndian: boolean,
  deflated: boolean,
): TransferSyntax {
  return { uid, name, explicit, littleEndian, deflated, encoding: 'native' };
}

export const transferSyntaxes: ReadonlyMap<string, TransferSyntax> = new Map(
  [
    ...NATIVE,
    ...ENCAPSULATED.map(
      ([uid, name, encoding]): TransferSyntax => ({
        uid,
        name,
        explicit: true,
        littleEndian: true,
        deflated: uid === '1.2.840.10008.1.2.4.95',
        encoding,
      }),
    ),
  ].map((syntax) => [syntax.uid, syntax]),
);

/** An unknown syntax is laid out as Explicit VR Little Endian: every syntax since 1993 but the first one is. */
export function layoutOf(uid: string): TransferSyntax {
  return (
    transferSyntaxes.get(uid) ?? {
      uid,
      name: 'unknown transfer syntax',
      explicit: true,
      littleEndian: true,
      deflated: false,
      encoding: 'none',
    }
  );
}
