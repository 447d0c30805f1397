/*
 * rbac_audit.h: what an audit log of an API server (audit.k8s.io/v1, lines of JSON, level Metadata or more) says that was asked, by whom, and whether it was
 * allowed. Lines are read one by one and forgotten; every different request of every user is kept once, with its count.
 */
#ifndef BH_KUBE_RBAC_AUDIT_H
#define BH_KUBE_RBAC_AUDIT_H

#include "format/stream.h"
#include "kube/rbac.h"

#define RBAC_AUDIT_LINE_BYTES_MAX (16u << 20) /* with bodies of requests and answers; the API server cuts at 10 MiB */
#define RBAC_AUDIT_REQUESTS_MAX 2000000u      /* different ones */

struct rbac_asked {
	struct rbac_request q;
	uint64_t allowed, denied; /* events */
};

/* A user with the groups that it had; with others it is another one. */
struct rbac_asker {
	struct rbac_user user;
	struct bh_map requests; /* -> struct rbac_asked */
};

struct rbac_audit {
	struct bh_arena arena;
	struct bh_map askers;             /* -> struct rbac_asker */
	struct bh_slice since, until;     /* RFC 3339 or the start of it; empty: no limit */
	uint64_t lines, events;           /* events: with an outcome, in the time asked for */
	uint64_t received, completed;     /* of stage RequestReceived; of others */
	uint64_t unreadable, first_unreadable; /* lines that are no events */
	uint64_t truncated, unauthenticated, outside;
	struct bh_slice first, last;      /* times to the second, UTC */
	char times[2][32];
	size_t different;
	struct bh_buf key;
};

void rbac_audit_init(struct rbac_audit *a, struct bh_slice since, struct bh_slice until);
void rbac_audit_done(struct rbac_audit *a);

/* All events of a file, which may be compressed. Only limits and failures to read are errors; a line that is no event is counted. */
int rbac_audit_read(struct rbac_audit *a, struct bh_source src, void (*progress)(void *ctx, uint64_t lines), void *ctx, struct bh_err *err) BH_MUST_CHECK;

/* The same request of the asker; NULL: it was never made. */
const struct rbac_asked *rbac_audit_find(struct rbac_audit *a, const struct rbac_asker *asker, const struct rbac_request *q);

#endif
