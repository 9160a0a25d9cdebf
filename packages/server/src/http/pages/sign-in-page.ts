/** Name and password, and the way to a login elsewhere if there is one. */
import { html } from './html.js';
import type { Page } from './layout.js';

export interface SignInFacts {
  readonly fault?: string | undefined;
  /** Typed before; the password never comes back. */
  readonly name?: string | undefined;
  /** Label of the other way to sign in. */
  readonly elsewhere?: string | undefined;
}

export function signInPage({ fault, name, elsewhere }: SignInFacts): Page {
  return {
    title: 'Sign in',
    body: html`<h1>Sign in</h1>
${fault === undefined ? '' : html`<p class="fault" role="alert" id="fault">${fault}</p>`}
<form method="post" action="/auth/sign-in">
<label for="name">Name</label>
<input id="name" name="name" value="${name ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="128" required ${name ? '' : 'autofocus'}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required ${name ? 'autofocus' : ''}>
<button type="submit">Sign in</button>
</form>
${elsewhere === undefined ? '' : html`<p><a class="button second" href="/auth/oidc/begin">${elsewhere}</a></p>`}
<p class="soft">No account, or the password is lost? An administrator can send you a link.</p>`,
  };
}

export function signedInPage(name: string, role: string): Page {
  return {
    title: 'Signed in',
    body: html`<h1>Signed in</h1>
<p>You are <strong>${name}</strong> (${role}).</p>
<form method="post" action="/auth/sign-out"><button type="submit">Sign out</button></form>
<p><a href="/">About this server</a></p>`,
  };
}

/** Between the provider and the first page; the link is for browsers that do not go by themselves. */
export function enteringPage(to: string): Page {
  return { title: 'Signed in', body: html`<h1>Signed in</h1><p><a href="${to}">Continue</a></p>` };
}
