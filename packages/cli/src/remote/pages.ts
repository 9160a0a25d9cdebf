/** All items of a paged list, page by page. */
export async function pages<T>(
  fetchPage: (wish: {
    readonly cursor?: string;
  }) => Promise<{ readonly items: readonly T[]; readonly next?: string | undefined }>,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await fetchPage(cursor === undefined ? {} : { cursor });
    all.push(...items);
    if (next === undefined || all.length >= most) return all.slice(0, most);
    cursor = next;
  }
}
