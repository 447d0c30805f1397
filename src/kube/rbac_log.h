/* rbac_log.h: audit logs as a part of questions about roles: reading them, and what is said of a log as a whole. */
#ifndef BH_KUBE_RBAC_LOG_H
#define BH_KUBE_RBAC_LOG_H

#include "kube/ask.h"
#include "kube/rbac_audit.h"

#define RBAC_LOG_ROLE 3u /* of the question's files: the logs */

/* What a kube_question's read does with one of them. Lines that are no events are a gap. */
int rbac_log_read(struct kube_asked *asked, struct rbac_audit *audit, struct bh_slice name, int fd, struct bh_err *err) BH_MUST_CHECK;

/* One row: how many events with an outcome, the first and the last time, and what the log can't show. */
#define RBAC_ROW_LOG 202u
enum rbac_log_cell { RBAC_LOG_EVENTS, RBAC_LOG_FIRST, RBAC_LOG_LAST, RBAC_LOG_NOTES, RBAC_LOG_CELLS };
int rbac_log_say(struct kube_asked *asked, const struct rbac_audit *audit, struct bh_err *err) BH_MUST_CHECK;

#endif
