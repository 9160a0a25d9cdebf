export { type Binary, binary, type Events, type Operation, operation } from './operation.js';
export { type Permission, permissions, permissionsOf, type Role, roles } from './permissions.js';
