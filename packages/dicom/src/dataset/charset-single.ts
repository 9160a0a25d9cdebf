/** Decoding with one character set and no escapes: the platform's ICU, and the two sets that it does not have as DICOM means them. */

import { TextDecoder } from 'node:util';

const decoders = new Map<string, TextDecoder>();

/** ICU's decoder of an Encoding Standard label, kept for the next call. */
export function decoderOf(label: string): TextDecoder {
  let decoder = decoders.get(label);
  if (!decoder) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder;
}

/** One single-charset decoding step; `label` is from the table above. */
export function decodeSingle(bytes: Uint8Array, label: string): string {
  if (label === 'latin1' || label === 'ascii')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (label === 'jis-x-0201') return decodeJisX0201(bytes);
  if (label === 'latin5') return decodeLatin5(bytes);
  return decoderOf(label).decode(bytes);
}

/** JIS X 0201: ASCII positions below 80 (the yen sign keeps its ASCII reading: it is DICOM's delimiter), katakana above. */
function decodeJisX0201(bytes: Uint8Array): string {
  const FIRST_KATAKANA = 0xa1;
  const LAST_KATAKANA = 0xdf;
  const UNICODE_SHIFT = 0xff61 - FIRST_KATAKANA;
  let text = '';
  for (const byte of bytes) {
    if (byte < 0x80) text += String.fromCharCode(byte);
    else if (byte >= FIRST_KATAKANA && byte <= LAST_KATAKANA) text += String.fromCharCode(byte + UNICODE_SHIFT);
    else text += '\ufffd';
  }
  return text;
}

/** ISO 8859-9 differs from Latin-1 in six places (the platform's label means windows-1254, which fills 80-9F). */
function decodeLatin5(bytes: Uint8Array): string {
  const turkish: Record<string, string> = { Ð: 'Ğ', Ý: 'İ', Þ: 'Ş', ð: 'ğ', ý: 'ı', þ: 'ş' };
  return decodeSingle(bytes, 'latin1').replace(/[ÐÝÞðýþ]/g, (letter) => turkish[letter] as string);
}
