/** The frame of the few pages that the server draws itself: no script, one style sheet, readable without either. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Html, html } from './html.js';
import { STYLE_PATH } from './style.js';

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface Page {
  readonly title: string;
  readonly body: Html;
}

/** Browsers name text/html; programs take anything. */
export function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true;
}

export function sendPage(reply: FastifyReply, { title, body }: Page, status = 200): void {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Isocenter</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<header><a href="/">${mark} Isocenter</a></header>
<main>
${body}
</main>
</body>
</html>
`;
  void reply
    .code(status)
    .header('content-security-policy', POLICY)
    .header('content-type', 'text/html; charset=utf-8')
    .send(page.text);
}

/** Three beams that meet in the isocenter. */
const mark = html`<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false"><circle cx="16" cy="16" r="13" fill="none" stroke="currentColor" stroke-width="2"/><path d="M16 3v26M4.7 9.5l22.6 13M27.3 9.5 4.7 22.5" stroke="currentColor" stroke-width="1.5"/><circle cx="16" cy="16" r="4" fill="currentColor"/></svg>`;
