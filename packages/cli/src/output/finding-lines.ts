/** Findings about a study, a line each, with what to do about warnings. */
import type { SegmentReport } from '@isocenter/engine';

export function findingLines(findings: SegmentReport['findings']): readonly string[] {
  return findings.map(
    ({ severity, message, next }) =>
      `${severity === 'note' ? 'Note' : 'Warning'}: ${message}${next && severity !== 'note' ? ` ${next}` : ''}`,
  );
}
