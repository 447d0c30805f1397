/* remote.c: see remote.h. */
#include "registry/remote.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "model/wire.h"
#include "registry/daemon.h"
#include "registry/git.h"
#include "registry/pull.h"
#include "sys/helper.h"

#include <stdlib.h>

#define LABEL_BYTES_MAX 4096u

struct registry_remote {
	struct bh_helper *helper;
	struct image_remote image;
	char label[LABEL_BYTES_MAX];
};

static int ask_open(void *ctx, struct bh_slice name, uint64_t max_bytes, int *ret_fd, struct bh_err *err)
{
	struct registry_remote *r = ctx;
	BH_WITH(bh_buf_done) struct bh_buf question = { 0 }, reply = { 0 };
	bh_buf_init(&question, 4096);
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	bh_wire_put_u64(&question, max_bytes);
	if (!bh_buf_add(&question, name))
		return bh_fail(err, BH_EUSAGE, 0, "a name of more than 4,000 bytes");
	int rc = bh_helper_call(r->helper, BROKER_OPEN, bh_buf_slice(&question), &reply, ret_fd, err);
	return rc == 0 && *ret_fd < 0 ? bh_fail(err, BH_ECHILD, 0, "the process that uses the network gave no descriptor") : rc;
}

static int ask_outcome(void *ctx, struct bh_slice name, struct bh_err *err)
{
	struct registry_remote *r = ctx;
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	return bh_helper_call(r->helper, BROKER_OUTCOME, name, &reply, NULL, err);
}

static int start(struct registry_remote *r, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_call(r->helper, BROKER_START, (struct bh_slice){ 0 }, &reply, NULL, err);
	if (rc == 0)
		snprintf(r->label, sizeof(r->label), "%.*s", BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&reply), 0, LABEL_BYTES_MAX - 1)));
	return rc;
}

/* What the helper works with; it gets it by the fork, the program only keeps the process. */
struct workplace {
	struct broker broker;
	struct registry_pull pull;
	struct registry_daemon daemon;
	struct registry_git git;
};

static int furnish(struct workplace *w, enum registry_kind kind, const char *name, const struct registry_options *options, struct bh_err *err)
{
	struct registry_ref ref;
	if (kind == REGISTRY_IMAGE) {
		int rc = registry_ref_parse(name, &ref, err);
		if (rc < 0)
			return rc;
		registry_pull_init(&w->pull, &ref, options);
		w->broker.backend = registry_pull_backend(&w->pull);
		return 0;
	}
	if (kind == REGISTRY_GIT || kind == REGISTRY_GIT_STAGED) {
		w->broker.backend = registry_git_backend(&w->git);
		return registry_git_init(&w->git, name, kind == REGISTRY_GIT_STAGED, err);
	}
	w->broker.backend = registry_daemon_backend(&w->daemon);
	return registry_daemon_init(&w->daemon, kind, name, err);
}

static int start_helper(struct registry_remote *r, enum registry_kind kind, const char *name, const struct registry_options *options,
			struct bh_err *err)
{
	struct workplace *w = calloc(1, sizeof(*w));
	if (!w)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = furnish(w, kind, name, options, err);
	rc = rc < 0 ? rc : bh_helper_start(broker_serve, &w->broker, &r->helper, err);
	free(w);
	return rc;
}

bool registry_runs_here(enum registry_kind kind)
{
	return kind == REGISTRY_IMAGE || registry_daemon_runs(kind);
}

static const char *kind_word(enum registry_kind kind)
{
	switch (kind) {
	case REGISTRY_IMAGE: return "registry";
	case REGISTRY_DOCKER: return "docker";
	case REGISTRY_PODMAN: return "podman";
	case REGISTRY_CONTAINERD: return "containerd";
	case REGISTRY_CONTAINER: return "container";
	case REGISTRY_GIT:
	case REGISTRY_GIT_STAGED: return "git";
	}
	return "";
}

int registry_open(enum registry_kind kind, const char *name, const struct registry_options *options, struct registry_remote **ret, struct bh_err *err)
{
	struct registry_remote *r = calloc(1, sizeof(*r));
	if (!r)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	r->image = (struct image_remote){
		.open = ask_open, .outcome = ask_outcome, .ctx = r, .kind = kind_word(kind), .label = r->label,
		.archive = kind != REGISTRY_IMAGE, .container = kind == REGISTRY_CONTAINER,
	};
	int rc = start_helper(r, kind, name, options, err);
	rc = rc < 0 ? rc : start(r, err);
	if (rc < 0)
		registry_close(r);
	else
		*ret = r;
	return rc;
}

void registry_close(struct registry_remote *r)
{
	if (r)
		bh_helper_stop(r->helper);
	free(r);
}

const struct image_remote *registry_image(const struct registry_remote *r)
{
	return &r->image;
}
