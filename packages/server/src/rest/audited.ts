/** Whoever gets bytes of this answer stands in the audit log before the first of them; a HEAD or an unchanged ETag gets none. */
import type { AuditEntry, AuditLog } from '../audit/audit-log.js';
import type { FileAnswer } from '../http/call.js';

export function audited(audit: AuditLog, entry: AuditEntry, answer: FileAnswer): FileAnswer {
  return {
    ...answer,
    open: async (range) => {
      await audit.record(entry);
      return answer.open(range);
    },
  };
}
