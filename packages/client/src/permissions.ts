/** Who may do what: the permissions that routes ask for, and the roles of DESIGN §7 that hold them. */
export const permissions = [
  'models.read',
  'models.write',
  'jobs.create',
  /** Own jobs; `jobs.read-all` those of everybody. */
  'jobs.read',
  'jobs.read-all',
  /** Cancel and retry own jobs; `jobs.manage-all` those of everybody. */
  'jobs.manage',
  'jobs.manage-all',
  /** Move any job that one may see forward or back in the line, with a reason. */
  'jobs.prioritise',
  'studies.write',
  'feedback.write',
  'feedback.read',
  'telemetry.write',
  'telemetry.read',
  'keys.own',
  'keys.manage',
  'users.manage',
  'audit.read',
  'settings.read',
  'settings.write',
  'operations.read',
  'operations.run',
] as const;

export type Permission = (typeof permissions)[number];

export const roles = ['administrator', 'data-scientist', 'clinician', 'service'] as const;

export type Role = (typeof roles)[number];

export const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: permissions,
  'data-scientist': [
    'models.read',
    'models.write',
    'jobs.create',
    'jobs.read',
    'jobs.manage',
    'studies.write',
    'feedback.write',
    'feedback.read',
    'telemetry.write',
    'telemetry.read',
    'keys.own',
    'operations.read',
  ],
  clinician: [
    'models.read',
    'jobs.create',
    'jobs.read',
    'jobs.read-all',
    'jobs.manage',
    'studies.write',
    'feedback.write',
    'feedback.read',
    'jobs.prioritise',
  ],
  service: [
    'models.read',
    'jobs.create',
    'jobs.read',
    'jobs.manage',
    'studies.write',
    'feedback.write',
    'telemetry.write',
  ],
};
