/** What a one-time link opens: the first administrator, an invited person, or a new password. */
import type { LinkInfo } from '../../accounts/accounts.js';
import { html } from './html.js';
import type { Page } from './layout.js';

export interface LinkFacts {
  readonly token: string;
  readonly link: Pick<LinkInfo, 'purpose' | 'role' | 'name'>;
  readonly fault?: string | undefined;
  readonly name?: string | undefined;
}

const HEADINGS: Readonly<Record<LinkInfo['purpose'], readonly [string, string]>> = {
  setup: ['Set up this server', 'Choose a name and a password for the first administrator. The link works once.'],
  invite: ['Make your account', 'Choose a name and a password. The link works once.'],
  reset: ['Choose a new password', 'Your other sessions end when you save it. The link works once.'],
};

export function linkPage({ token, link, fault, name }: LinkFacts): Page {
  const [heading, text] = HEADINGS[link.purpose];
  const fixed = link.name !== undefined;
  // After a refusal the name stands there already: what is missing is the password.
  const known = fixed || (name !== undefined && name !== '');
  return {
    title: heading,
    body: html`<h1>${heading}</h1>
<p>${text}</p>
${fault === undefined ? '' : html`<p class="fault" role="alert">${fault}</p>`}
<form method="post" action="/auth/accept-invite">
<input type="hidden" name="token" value="${token}">
<label for="name">Name</label>
<input id="name" name="name" value="${link.name ?? name ?? ''}" ${fixed ? 'readonly' : ''} autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="128" required ${known ? '' : 'autofocus'}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" maxlength="1024" aria-describedby="hint" required ${known ? 'autofocus' : ''}>
<p class="soft" id="hint">12 or more characters. Four unrelated words are good.</p>
<button type="submit">${link.purpose === 'reset' ? 'Save' : 'Create account'}</button>
</form>
<p class="soft">Role: ${link.role}</p>`,
  };
}
