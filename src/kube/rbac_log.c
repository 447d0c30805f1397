#include "kube/rbac_log.h"

#include <stdio.h>

#include "kube/cells.h"

static void note_progress(void *ctx, uint64_t lines)
{
	kube_say_progress(ctx, lines);
}

int rbac_log_read(struct kube_asked *asked, struct rbac_audit *audit, struct bh_slice name, int fd, struct bh_err *err)
{
	struct bh_file_source file;
	uint64_t before = audit->unreadable;
	int rc = bh_file_source_init(&file, fd, 0, UINT64_MAX, true, err);
	if (rc < 0)
		return rc;
	rc = rbac_audit_read(audit, bh_file_source(&file), note_progress, asked, err);
	bh_file_source_done(&file);
	if (rc == 0 && audit->unreadable > before) {
		char text[96];
		(void)snprintf(text, sizeof(text), "%llu lines are no audit events", (unsigned long long)(audit->unreadable - before));
		rc = kube_say_gap(asked, name, 0, bh_slice_str(text), err);
	}
	return rc < 0 ? bh_wrap(err, "%.*s", BH_SLICE_FMT(name)) : 0;
}

int rbac_log_say(struct kube_asked *asked, const struct rbac_audit *a, struct bh_err *err)
{
	struct kube_cells c;
	kube_cells_init(&c);
	bh_buf_printf(&c.text[RBAC_LOG_EVENTS], "%llu", (unsigned long long)a->events);
	bh_buf_add(&c.text[RBAC_LOG_FIRST], a->first);
	bh_buf_add(&c.text[RBAC_LOG_LAST], a->last);
	struct bh_buf *notes = &c.text[RBAC_LOG_NOTES];
	const struct {
		uint64_t n;
		const char *what;
	} all[] = { { a->received > a->completed ? a->received - a->completed : 0, "requests were received and have no outcome in it" },
		    { a->truncated, "events were truncated" }, { a->unauthenticated, "requests had no valid credential" }, { a->outside, "events lie outside the time asked for" } };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].n)
			bh_buf_printf(notes, "%s%llu %s", notes->len ? ", " : "", (unsigned long long)all[i].n, all[i].what);
	int rc = kube_cells_say(asked, &c, RBAC_ROW_LOG, RBAC_LOG_CELLS, err);
	kube_cells_done(&c);
	return rc;
}
