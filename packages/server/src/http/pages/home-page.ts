/** What a browser sees at `/` as long as there is no console. */
import { html } from './html.js';
import type { Page } from './layout.js';

export interface HomeFacts {
  readonly version: string;
  /** Undefined: not known here. */
  readonly ready: boolean | undefined;
  readonly needsSetup: boolean;
  /** Who is signed in. */
  readonly person?: { readonly name: string; readonly role: string } | undefined;
}

export function homePage({ version, ready, needsSetup, person }: HomeFacts): Page {
  const state =
    ready === false
      ? html`<span class="state bad">not ready</span>: see <a href="/health/ready">why</a>`
      : html`<span class="state good">${ready === true ? 'ready' : 'running'}</span>`;
  const next = needsSetup
    ? html`<p class="fault" role="status">There is no administrator yet. Open the one-time link that the server printed when it
started; the next start prints a new one.</p>`
    : person === undefined
      ? html`<p><a class="button" href="/sign-in">Sign in</a></p>`
      : html`<p>You are signed in as <strong>${person.name}</strong> (${person.role}). <a href="/sign-in">Sign out</a></p>
<h2>Next</h2>
<p>In a terminal on this server's machine: a check, then a study.</p>
<code class="line">npx isocenter selftest</code>
<code class="line">npx isocenter submit STUDY.zip --model ct-basic --out result</code>
<p>Programs elsewhere need a key:</p>
<code class="line">npx isocenter keys create --name NAME --role data-scientist</code>`;
  return {
    title: 'Server',
    body: html`<h1>This is an Isocenter server</h1>
<p>It runs medical-imaging models on studies that are sent to it, and gives back contours, segmentations and reports.</p>
<dl>
<dt>Version</dt><dd>${version}</dd>
<dt>State</dt><dd>${state}</dd>
</dl>
${next}
<h2>For programs</h2>
<p><a href="/isocenter/v1/openapi.json">OpenAPI document</a> of every address; keys are sent as
<code>Authorization: Bearer iso_…</code></p>
<p><a href="/problems">Problem kinds</a>: what a refusal means and which status it has</p>`,
  };
}
