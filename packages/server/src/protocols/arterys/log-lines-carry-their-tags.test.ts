/** The tagged logger of specs/protocols.md 4.6: exact text, and who inherits what. */
import { expect, it } from 'vitest';
import { consoleSink, type LogSink, TaggedLogger } from './tagged-logger.js';

function recorder(): LogSink & { readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (text: string) => void lines.push(`${level}: ${text}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

it('without tags has an empty object before the text', () => {
  const sink = recorder();
  new TaggedLogger(sink).info('hello world');
  expect(sink.lines).toEqual(['info: {} - hello world']);
});

it('sorts tags, and a newer one of the same name counts', () => {
  const sink = recorder();
  const logger = new TaggedLogger(sink).addTags({ b: 1, a: 'x' });
  logger.warn('one');
  logger.addTags({ a: 'ä', c: [1, 2] }).error('two');
  expect(sink.lines).toEqual(['warn: {"a": "x", "b": 1} - one', 'error: {"a": "\\u00e4", "b": 1, "c": [1, 2]} - two']);
});

it('gives a child a copy: neither hears of later tags of the other', () => {
  const sink = recorder();
  const parent = new TaggedLogger(sink, { a: 1 });
  const child = parent.tag({ b: 2 });
  const wrapped = new TaggedLogger(parent);
  parent.addTags({ p: 1 });
  child.addTags({ c: 3 });
  wrapped.addTags({ a: 9 });
  for (const logger of [parent, child, wrapped]) logger.debug('x');
  expect(sink.lines).toEqual([
    'debug: {"a": 1, "p": 1} - x',
    'debug: {"a": 1, "b": 2, "c": 3} - x',
    'debug: {"a": 9} - x',
  ]);
});

it("writes lines in the form of upstream's logging.yaml", () => {
  const written: string[] = [];
  const sink = consoleSink(
    'inference',
    (line) => written.push(line),
    () => new Date(Date.UTC(2026, 10, 22, 13, 1, 2, 34)),
  );
  new TaggedLogger(sink, { a: 1 }).warn('text');
  expect(written).toEqual(['[2026-11-22 13:01:02,034] [WARNING] inference {"a": 1} - text\n']);
});
