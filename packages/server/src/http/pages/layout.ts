/** The frame of the few pages that the server draws itself: no script, one style sheet, readable without either. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Html, html } from './html.js';
import { ICON_PATH, mark } from './icon.js';
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
<link rel="icon" href="${ICON_PATH}" type="image/svg+xml">
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
