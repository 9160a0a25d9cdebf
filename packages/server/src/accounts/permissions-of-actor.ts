/** Sums over permissions: what somebody may do all together, and whether they may hand it on. */
import { type Permission, permissionsOf, type Role } from '@isocenter/client';
import { AccountError } from './account-error.js';
import { type Actor, may } from './actor.js';

export function effectivePermissions(actor: Pick<Actor, 'role' | 'scopes'>): readonly Permission[] {
  const { role, scopes } = actor;
  return scopes ? permissionsOf[role].filter((permission) => scopes.includes(permission)) : permissionsOf[role];
}

/** Whether the actor may do everything that the role may: only then may they give, change or take it. */
export function covers(actor: Pick<Actor, 'role' | 'scopes'>, role: Role): boolean {
  const own = effectivePermissions(actor);
  return permissionsOf[role].every((permission) => own.includes(permission));
}

/** Throws AccountError `forbidden`. */
export function requirePermission(actor: Actor, ...oneOf: readonly Permission[]): void {
  if (oneOf.some((permission) => may(actor, permission))) return;
  throw new AccountError('forbidden', `This needs the permission ${oneOf.join(' or ')}`, {
    next: 'Ask an administrator.',
  });
}

/** Throws AccountError `forbidden`. */
export function requireCover(actor: Actor, role: Role): void {
  if (covers(actor, role)) return;
  throw new AccountError('forbidden', `The role ${role} may do more than you may`, {
    where: 'role',
    next: 'Ask an administrator.',
  });
}
