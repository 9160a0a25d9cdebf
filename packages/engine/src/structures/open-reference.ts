/** The images that structures lie on, by their headers alone. */
import { chooseSeries, type ReferenceSeries, referenceFrom, scanSources } from '@isocenter/dicom';
import { openSources } from '@isocenter/formats';
import type { Watch } from '@isocenter/volume';

export interface ReferenceWish extends Watch {
  /** SeriesInstanceUID, or the number that `inspect` shows. */
  readonly series?: string;
  /** Series that the structures name; taken when one of them is there and nothing else was asked for. */
  readonly preferred?: readonly string[];
  /** Uneven slices: refuse (default), or take the longest even run, as `segment --longest-run` does. */
  readonly irregular?: 'refuse' | 'longest-run';
}

/** Throws SeriesError when no series fits or several do, ArchiveError when the input cannot be opened. */
export async function openReference(input: string, wish: ReferenceWish = {}): Promise<ReferenceSeries> {
  const opened = await openSources(input);
  try {
    const scan = await scanSources(opened.sources, wish);
    const preferred = scan.series.find(({ SeriesInstanceUID }) => wish.preferred?.includes(SeriesInstanceUID));
    const { assembly } = chooseSeries(scan, {
      ...(wish.series !== undefined ? seriesWish(wish.series) : preferred ? { number: preferred.number } : {}),
      assemble: { irregular: wish.irregular },
    });
    return referenceFrom(assembly);
  } finally {
    await opened.close();
  }
}

/** `2` is the second series of the listing, anything else a SeriesInstanceUID. */
export function seriesWish(text: string): { number: number } | { SeriesInstanceUID: string } {
  return /^\d{1,6}$/.test(text) ? { number: Number(text) } : { SeriesInstanceUID: text };
}
