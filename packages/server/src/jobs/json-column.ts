/** JSON for a jsonb column, which takes neither NUL nor half a surrogate pair, both of which DICOM files may hold. */
export function jsonColumn(value: unknown): string {
  const text = JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'string' ? each.replaceAll('\u0000', '').replaceAll(/\p{Surrogate}/gu, '\ufffd') : each,
  );
  return text ?? 'null';
}
