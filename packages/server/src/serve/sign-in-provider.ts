/** The settings of the sign-in provider from the configuration, with the address that it sends browsers back to. */
import type { ProviderSettings } from '../accounts/oidc/provider-settings.js';
import type { Configuration } from '../configuration/configuration.js';
import { CALLBACK_PATH } from '../http/oidc-routes.js';

/** Undefined: no provider. Without `publicUrl` people come by this machine's own name, as in a trial. */
export function signInProvider({ oidc, publicUrl, port }: Configuration): ProviderSettings | undefined {
  if (oidc === undefined) return undefined;
  const { issuer, clientId, clientSecret, roleClaim, roles, scopes } = oidc;
  return {
    issuer,
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    redirectUri: new URL(CALLBACK_PATH, publicUrl ?? `http://localhost:${port}`).href,
    roleClaim,
    roles,
    scopes,
  };
}
