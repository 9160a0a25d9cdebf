/** The sign of Isocenter, beside its name on each page and on the browser's tab. */
import { html } from './html.js';

export const ICON_PATH = '/assets/icon.svg';

/** Three beams that meet in the isocenter. */
const beams = html`<circle cx="16" cy="16" r="13" fill="none" stroke="currentColor" stroke-width="2"/><path d="M16 3v26M4.7 9.5l22.6 13M27.3 9.5 4.7 22.5" stroke="currentColor" stroke-width="1.5"/><circle cx="16" cy="16" r="4" fill="currentColor"/>`;

export const mark = html`<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">${beams}</svg>`;

/** Tabs are light or dark, and give no colour: this one is seen on both. */
export const icon = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" color="#2a8b9b">${beams}</svg>`
  .text;
