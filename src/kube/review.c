/* review.c: the parent's side: opens files, takes what the child says. */
#include "kube/review.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kube/files.h"
#include "kube/review_child.h"
#include "model/wire.h"
#include "sys/files.h"

#define NAMES_BYTES_MAX (256u << 20)
#define FINDINGS_MAX 1000000u
#define MEMORY_BYTES_MAX (4096ull << 20)

struct parent {
	struct review_context context; /* first: the child gets it */
	struct bh_report *report;
	struct kube_review_counts counts;
	struct bh_arena names;
	struct kube_file_vec files; /* manifests, then policies */
	size_t n_manifests, next;
};

static int find_files(struct parent *p, const char *const *paths, size_t n, struct bh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = strcmp(paths[i], "-") == 0 ? (kube_file_vec_push(&p->files, "-") ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory")) :
						      kube_files_find(paths[i], &p->names, &p->files, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_file(const char *path, int *ret_fd, bool *ret_close, struct bh_err *err)
{
	uint64_t size;
	*ret_close = strcmp(path, "-") != 0;
	if (*ret_close)
		return bh_open_regular(path, ret_fd, &size, err);
	*ret_fd = STDIN_FILENO;
	return 0;
}

/* The next file that can be opened; an empty reply when there is none. */
static int give_next(struct parent *p, struct bh_child_reply *reply)
{
	while (p->next < p->files.len) {
		size_t i = p->next++;
		const char *name = p->files.ptr[i];
		struct bh_err why = { 0 };
		if (open_file(name, &reply->fd, &reply->close_fd, &why) < 0) {
			bh_report_incomplete(p->report, i < p->n_manifests ? "manifest" : "policy", bh_slice_str(name), BH_NO_LAYER, "%s", why.text);
			continue;
		}
		p->counts.files += i < p->n_manifests;
		bh_wire_put_u8(reply->payload, i < p->n_manifests ? REVIEW_MANIFEST : REVIEW_POLICY);
		bh_wire_put_slice(reply->payload, bh_slice_str(reply->close_fd ? name : "standard input"));
		return 0;
	}
	return 0;
}

static bool copy(struct parent *p, struct bh_slice s, struct bh_slice *out)
{
	return bh_arena_copy(&p->report->arena, s, out);
}

static int take_finding(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct review_finding f;
	struct bh_finding out = { .class = BH_CLASS_MISCONFIGURATION, .layer = BH_NO_LAYER, .state = BH_STATE_AFFECTED };
	if (!review_get_finding(frame, &f))
		return bh_fail(err, BH_ECHILD, 0, "a finding that is none");
	out.severity = (enum bh_severity)f.severity;
	out.line = f.line;
	if (!copy(p, f.id, &out.id) || !copy(p, f.message, &out.title) || !copy(p, f.file, &out.path) || !copy(p, f.evidence, &out.evidence)
	    || !copy(p, f.fix, &out.fix) || !copy(p, f.policy, &out.source) || p->report->findings.len >= FINDINGS_MAX
	    || !bh_finding_vec_push(&p->report->findings, out))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u findings", FINDINGS_MAX);
	return 0;
}

/* The report keeps the word, not a copy of it. */
static const char *kind_of(struct bh_slice what)
{
	static const char *const kinds[] = { "manifest", "policy", "object", NULL };
	size_t i = 0;
	while (kinds[i] && !bh_slice_eq_str(what, kinds[i]))
		i++;
	return kinds[i];
}

static int take_unchecked(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice what, file, reason;
	uint32_t line;
	if (!bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &what) || !kind_of(what) || !bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &file)
	    || !bh_take_u32le(&r, &line) || !bh_wire_get_slice(&r, REVIEW_TEXT_BYTES_MAX, &reason))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	if (line)
		bh_report_incomplete(p->report, kind_of(what), file, BH_NO_LAYER, "line %u: %.*s", line, BH_SLICE_FMT(reason));
	else
		bh_report_incomplete(p->report, kind_of(what), file, BH_NO_LAYER, "%.*s", BH_SLICE_FMT(reason));
	return 0;
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	struct bh_reader r = bh_reader_of(payload);
	if (type == REVIEW_ASK_NEXT && is_request)
		return give_next(p, reply);
	if (type == REVIEW_SAY_FINDING && !is_request)
		return take_finding(p, payload, err);
	if (type == REVIEW_SAY_UNCHECKED && !is_request)
		return take_unchecked(p, payload, err);
	if (type == REVIEW_SAY_COUNTS && !is_request && bh_take_u64le(&r, &p->counts.objects) && bh_take_u64le(&r, &p->counts.policies))
		return 0;
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

static int run(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = {
		.name = "review",
		.run = review_child_run,
		.handle = handle,
		.ctx = p,
		.limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = 300 },
	};
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc < 0)
		return rc;
	if (result == BH_ECANCELLED) {
		*err = why;
		return result;
	}
	if (result < 0)
		bh_report_incomplete(p->report, "manifests", (struct bh_slice){ 0 }, BH_NO_LAYER, "%s", why.text);
	return 0;
}

int kube_review(const struct kube_review_options *options, struct bh_report *report, struct kube_review_counts *ret, struct bh_err *err)
{
	struct parent p = { .context = { options }, .report = report, .files = { .max = KUBE_FILES_MAX } };
	bh_arena_init(&p.names, NAMES_BYTES_MAX);
	int rc = find_files(&p, options->paths, options->n_paths, err);
	p.n_manifests = p.files.len;
	rc = rc < 0 ? rc : find_files(&p, options->policies, options->n_policies, err);
	rc = rc < 0 ? rc : run(&p, err);
	if (rc == 0)
		*ret = p.counts;
	kube_file_vec_done(&p.files);
	bh_arena_done(&p.names);
	return rc;
}
