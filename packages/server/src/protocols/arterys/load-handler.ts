/** A handler from its module. */
import { ArterysError } from './arterys-error.js';
import type { Handler } from './handler.js';

/** `url`: file: URL. Throws ArterysError `bad-route`; what the module throws when it is loaded. */
export async function loadHandler(url: string): Promise<Handler> {
  const found = ((await import(url)) as { readonly default?: unknown }).default;
  if (typeof found === 'function') return found as Handler;
  throw new ArterysError('bad-route', "The handler's module has no default export that is a function");
}
