/** The pages that `type` of a problem document points to, made from the table that chooses the status. */
import { problemTable, titles } from '../problem-table.js';
import { Html, html } from './html.js';
import type { Page } from './layout.js';

/** What is told to somebody who came by a browser and was refused. */
export function refusedPage(title: string, detail: string, next: string | undefined): Page {
  return {
    title,
    body: html`<h1>${title}</h1>
<p class="fault" role="alert">${detail}</p>
${next === undefined ? '' : html`<p>${next}</p>`}
<p><a href="/">About this server</a></p>`,
  };
}

/** Undefined for an area that does not exist. */
export function problemPage(area: string, kind: string): Page | undefined {
  const classes = Object.values(problemTable).filter((rule) => rule.area === area);
  if (area === 'defect') return pageOf(area, kind, 500);
  if (classes.length === 0 || !/^[a-z0-9-]{1,64}$/.test(kind)) return undefined;
  const special = classes.find(({ kinds }) => kinds !== undefined && Object.hasOwn(kinds, kind))?.kinds?.[kind];
  return pageOf(area, kind, (special ?? classes[0]!).status);
}

function pageOf(area: string, kind: string, status: number): Page {
  return {
    title: `${area}: ${kind}`,
    body: html`<h1><code>${kind}</code></h1>
<dl><dt>Area</dt><dd>${area}</dd><dt>Status</dt><dd>${status}</dd><dt>Meaning</dt><dd>${titles[status] ?? ''}</dd></dl>
<p>The answer itself says in <code>detail</code> what was wrong, in <code>where</code> where, and in <code>next</code> what can be done.
Programs decide on <code>kind</code>.</p>
<p><a href="/problems">All kinds</a></p>`,
  };
}

export function problemsPage(): Page {
  // Several classes of errors share an area, and may say the same about it.
  const lines = new Set(
    Object.values(problemTable).flatMap(({ area, status, kinds }) => [
      row(area, 'any other', status).text,
      ...Object.entries(kinds ?? {}).map(([kind, rule]) => row(area, kind, rule.status).text),
    ]),
  );
  const rows = [...lines].map((text) => new Html(text));
  return {
    title: 'Problem kinds',
    body: html`<h1>Problem kinds</h1>
<table><thead><tr><th>Area</th><th>Kind</th><th>Status</th></tr></thead><tbody>${rows}</tbody></table>`,
  };
}

const row = (area: string, kind: string, status: number) =>
  html`<tr><td>${area}</td><td><code>${kind}</code></td><td>${status}</td></tr>`;
