/** The text/event-stream format (HTML Living Standard 9.2.6) from bytes to events. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** Longest event that is collected: a stream without blank lines must not fill the memory. */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** Ends when the stream ends. Comments (keep-alives) are dropped; an unfinished event at the end as well. */
export async function* serverSentEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let event = 'message';
  let data: string[] = [];
  let id: string | undefined;
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const text = rest + decoder.decode(value, { stream: true });
      // A CR at the end may be half of a CRLF: it waits for the next bytes.
      const usable = text.endsWith('\r') ? text.length - 1 : text.length;
      const lines = text.slice(0, usable).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + text.slice(usable);
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { event, data: data.join('\n'), ...(id === undefined ? {} : { id }) };
          event = 'message';
          data = [];
          size = 0;
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon < 0 ? line : line.slice(0, colon);
        const fieldValue = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        size += fieldValue.length;
        if (field === 'data') data.push(fieldValue);
        else if (field === 'event') event = fieldValue;
        else if (field === 'id') id = fieldValue;
      }
      if (size + rest.length > LONGEST_EVENT) throw new RangeError('an event of the stream is longer than 16 MiB');
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
