/** Why an expression of a bundle was refused; nothing of a refused expression has any effect. */
import { Failure } from '@isocenter/volume';

export type ExpressionErrorKind = 'syntax' | 'refused' | 'limit' | 'value';

/** `where` is the expression with a marker at the position. */
export class ExpressionError extends Failure<ExpressionErrorKind> {}

export function expressionError(
  kind: ExpressionErrorKind,
  message: string,
  source: string,
  position: number,
): ExpressionError {
  const start = Math.max(0, position - 40);
  const excerpt = `${start > 0 ? '…' : ''}${source.slice(start, position)}»${source.slice(position, position + 40)}`;
  return new ExpressionError(kind, message, {
    where: `expression ${JSON.stringify(excerpt)}, position ${position}`,
    next: 'docs/reference/bundle.md lists what expressions may contain; write the value out instead',
  });
}
