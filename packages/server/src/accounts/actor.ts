/** Who does something: every change, every read of a result and every audit entry names one. */
import { type Permission, permissionsOf, type Role } from '@isocenter/client';

export interface Actor {
  /**
   * 'person' signed in; 'key' of a service or person; 'local': the owner of the data directory on this machine;
   * 'protocol': a client of a protocol that has no login; 'system': ourselves.
   */
  readonly kind: 'person' | 'key' | 'local' | 'protocol' | 'system';
  /** Stable id: of the account, of the key, or the protocol's name. Never a patient. */
  readonly id: string;
  /** For people to read. */
  readonly name: string;
  readonly role: Role;
  /** What a key is limited to; undefined: everything its role may do. */
  readonly scopes?: readonly Permission[];
}

export const SYSTEM: Actor = Object.freeze({ kind: 'system', id: 'system', name: 'Isocenter', role: 'administrator' });

export function may(actor: Actor, permission: Permission): boolean {
  return permissionsOf[actor.role].includes(permission) && (actor.scopes?.includes(permission) ?? true);
}
