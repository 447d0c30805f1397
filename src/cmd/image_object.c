#include "cmd/image_object.h"

#include "base/cleanup.h"
#include "cmd/source.h"
#include "image/open.h"
#include "kube/live.h"
#include "registry/facts.h"
#include "scan/target.h"
#include "sys/files.h"

#define NAME_ARENA_BYTES (1u << 20)
#define DOCUMENT_BYTES_MAX (64u << 20)

static const struct cmd_args *used;

void cmd_objects_use(const struct cmd_args *args)
{
	used = args;
}

static int write_document(const char *path, const struct image_plan *plan, int *ret_fd, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, DOCUMENT_BYTES_MAX);
	bh_buf_add_str(&text, "{\"apiVersion\":\"bulkhead.io/v1\",\"kind\":\"ContainerImage\",\"metadata\":{\"name\":");
	bh_buf_add_json(&text, bh_slice_str(path));
	bh_buf_add_str(&text, "},\"spec\":");
	bh_buf_add(&text, bh_buf_slice(&plan->config));
	bh_buf_add_str(&text, "}\n");
	return text.failed ? bh_fail(err, BH_ELIMIT, 0, "%s: its configuration is too large", path) : bh_memory_text(bh_buf_slice(&text), ret_fd, err);
}

static int read_image(const char *path, const struct image_request *req, int *ret_fd, struct bh_err *err)
{
	struct bh_report report;
	struct image_source source;
	struct image_plan plan;
	bh_report_init(&report);
	int rc = image_open(req, &report, &source, &plan, err);
	if (rc == 0 && plan.config.len == 0)
		rc = bh_fail(err, BH_EMALFORMED, 0, "it has no configuration");
	rc = rc < 0 ? bh_wrap(err, "%s", path) : write_document(path, &plan, ret_fd, err);
	image_source_done(&source);
	image_plan_done(&plan);
	bh_report_done(&report);
	return rc;
}

int cmd_objects_open(const char *path, int *ret_fd, struct bh_err *err)
{
	struct registry_options registry = used ? cmd_registry_options(used) : (struct registry_options){ 0 };
	const struct scan_target_options options = { .registry = &registry };
	struct image_request req = { 0 };
	struct registry_remote *remote = NULL;
	struct bh_arena arena;
	if (kube_is_daemon(path))
		return registry_facts_open(path, ret_fd, err);
	bh_arena_init(&arena, NAME_ARENA_BYTES);
	int rc = scan_target_open(path, &options, &arena, &req, &remote, err);
	req.quiet = true;
	rc = rc < 0 ? rc : read_image(path, &req, ret_fd, err);
	registry_close(remote);
	bh_arena_done(&arena);
	return rc;
}
