/* node.c: opens and looks, below the root only; understands nothing of what it hands out. */
#include "comply/node.h"

#include "base/cleanup.h"
#include "comply/node_child.h"
#include "comply/settings.h"
#include "model/wire.h"
#include "sys/child.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MEMORY_BYTES_MAX (3072ull << 20)

struct parent {
	struct node_context context; /* first: the child gets it */
	struct comply_report *out;
	struct comply_reason_vec *pool;
	struct intake intake;
	int root_fd;
};

/* ---- what the child may ask for ---- */

/* Below the root all paths are absolute; a path with a NUL or none is nobody's. */
static bool take_path(struct bh_slice payload, char path[BH_PATH_BYTES_MAX])
{
	if (payload.len < 2 || payload.len >= BH_PATH_BYTES_MAX || payload.ptr[0] != '/' || memchr(payload.ptr, '\0', payload.len))
		return false;
	memcpy(path, payload.ptr, payload.len);
	path[payload.len] = '\0';
	return true;
}

static bool starts(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *path, const char *suffix)
{
	return bh_slice_ends(bh_slice_str(path), bh_slice_str(suffix));
}

/* Files that end in .conf: the drop-ins of the kubelet's configuration (kubelet.conf itself holds a key), and what container engines are told. */
static bool may_read_conf(const char *path)
{
	const char *kubelet = strstr(path, "kubelet");
	return (kubelet && strchr(kubelet, '/')) || starts(path, "/etc/containers/") || starts(path, "/usr/share/containers/");
}

/* Configuration, not credentials: what a stranger's file names must not lead the child to keys and passwords. */
static bool may_read(const char *path)
{
	static const char *const suffixes[] = { ".yaml", ".yml", ".json", ".service", ".manifest", "/environment", ".env", ".toml", NULL };
	static const char *const folders[] = { "/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/", "/usr/local/lib/systemd/system/",
					       "/lib/systemd/system/", "/etc/audit/rules.d/", "/etc/default/", "/etc/sysconfig/", "/etc/kubernetes/manifests/", "/etc/crio/", NULL };
	static const char *const files[] = { "/etc/passwd", "/etc/group", "/etc/subuid", "/etc/subgid", "/etc/selinux/config", "/etc/fstab", "/etc/audit/audit.rules", "/proc/1/mountinfo", "/etc/etcd/etcd.conf", "/etc/kubernetes/kubelet/config", "/var/lib/rancher/rke2/server/db/etcd/config",
					     "/var/lib/rancher/k3s/server/db/etcd/config", NULL };
	if (strstr(path, "/../") || strstr(path, "/pki/") || ends(path, "/k3s.yaml") || ends(path, "/rke2.yaml"))
		return false;
	if (starts(path, "/proc/") && strcmp(path, "/proc/1/mountinfo") != 0)
		return ends(path, "/comm") || ends(path, "/cmdline");
	for (size_t i = 0; folders[i]; i++)
		if (starts(path, folders[i]))
			return true;
	for (size_t i = 0; suffixes[i]; i++)
		if (ends(path, suffixes[i]))
			return true;
	if (ends(path, ".conf") && may_read_conf(path))
		return true;
	return bh_slice_is_one_of(bh_slice_str(path), files) || starts(path, "/var/snap/microk8s/current/args/");
}

static int give_stat(const struct parent *p, const char *path, struct bh_child_reply *reply)
{
	struct stat st = { 0 };
	struct bh_err why = { 0 };
	int rc = bh_stat_in_root(p->root_fd, path, &st, &why);
	enum host_kind kind = rc == BH_ENOTFOUND ? HOST_ABSENT : rc < 0 ? HOST_DENIED : S_ISREG(st.st_mode) ? HOST_FILE : S_ISDIR(st.st_mode) ? HOST_FOLDER : HOST_OTHER;
	bh_wire_put_u8(reply->payload, (uint8_t)kind);
	bh_wire_put_u32(reply->payload, st.st_mode & 07777);
	bh_wire_put_u32(reply->payload, st.st_uid);
	bh_wire_put_u32(reply->payload, st.st_gid);
	bh_wire_put_u64(reply->payload, (uint64_t)st.st_ino ^ ((uint64_t)st.st_dev << 40));
	return 0;
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A folder that is not there has no names. */
static int give_list(const struct parent *p, const char *path, struct bh_child_reply *reply, struct bh_err *err)
{
	struct bh_err why = { 0 };
	struct dirent **names = NULL;
	BH_CLOSE int fd = -1;
	int rc = bh_open_folder_in_root(p->root_fd, path, &fd, &why);
	bh_wire_put_u8(reply->payload, rc < 0 && rc != BH_ENOTFOUND);
	if (rc < 0)
		return 0;
	int n = scandirat(fd, ".", &names, not_dots, by_name);
	for (int i = 0; i < n; i++) {
		bh_wire_put_slice(reply->payload, bh_slice_str(names[i]->d_name));
		free(names[i]);
	}
	free(names);
	return reply->payload->failed ? bh_fail(err, BH_ELIMIT, 0, "%s: the names in this folder are more than a message may hold", path) : 0;
}

/* That it is absent may be said of any file. */
static int refuse(const struct parent *p, const char *path, struct bh_err *why)
{
	struct stat ignored;
	int rc = bh_stat_in_root(p->root_fd, path, &ignored, why);
	return rc == BH_ENOTFOUND ? rc : bh_fail(why, BH_EIO, 0, "its name is none of a configuration file, so it is not read");
}

static int give_file(const struct parent *p, const char *path, struct bh_child_reply *reply)
{
	struct bh_err why = { 0 };
	int rc = may_read(path) ? bh_open_in_root(p->root_fd, path, &reply->fd, &why) : refuse(p, path, &why);
	reply->close_fd = true;
	bh_wire_put_u32(reply->payload, rc < 0 ? (uint32_t)-rc : 0);
	bh_wire_put_slice(reply->payload, bh_slice_sub(bh_slice_str(why.text), 0, NODE_TEXT_BYTES_MAX));
	return 0;
}

static int give(const struct parent *p, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	if (p->root_fd < 0 || !take_path(payload, path))
		return bh_fail(err, BH_ECHILD, 0, "a question that is none");
	switch ((enum node_message)type) {
	case NODE_ASK_STAT: return give_stat(p, path, reply);
	case NODE_ASK_LIST: return give_list(p, path, reply, err);
	case NODE_ASK_READ: return give_file(p, path, reply);
	case NODE_SAY_ROW:
	case NODE_SAY_COUNT: break;
	}
	return bh_fail(err, BH_ECHILD, 0, "an unknown question");
}

/* ---- what it says ---- */

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more findings than there is memory for");
}

static int take_row(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct comply_row row;
	struct bh_arena *a = &p->out->findings.arena;
	enum bh_severity severity;
	const char *fix;
	if (!node_get_row(frame, &row) || !node_check_facts(row.check, &severity, &fix))
		return bh_fail(err, BH_ECHILD, 0, "an answer that is none");
	if (!bh_arena_copy(a, row.check, &row.check) || !bh_arena_copy(a, row.text, &row.text) || !bh_arena_copy(a, row.file, &row.file)
	    || !bh_arena_copy(a, row.evidence, &row.evidence))
		return full(err);
	if (row.verdict != COMPLY_FAIL) {
		struct comply_reason reason = { row.verdict, row.check, row.text, row.file, row.line, row.evidence, { 0 }, NULL };
		return comply_reason_vec_push(p->pool, reason) ? 0 : full(err);
	}
	struct bh_finding f = { .class = BH_CLASS_MISCONFIGURATION, .id = row.check, .severity = severity, .state = BH_STATE_AFFECTED, .title = row.text, .path = row.file,
				.line = row.line, .layer = BH_NO_LAYER, .evidence = row.evidence, .fix = bh_slice_str(fix), .source = BH_SLICE_LIT("node") };
	return bh_finding_vec_push(&p->out->findings.findings, f) ? 0 : full(err);
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	struct bh_reader r = bh_reader_of(payload);
	int rc = intake_handle(&p->intake, type, is_request, payload, reply, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (is_request)
		return give(p, type, payload, reply, err);
	if (type == NODE_SAY_ROW)
		return take_row(p, payload, err);
	if (type == NODE_SAY_COUNT && bh_take_u64le(&r, &p->out->objects))
		return 0;
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

/* Told by the review of the same files. */
static void unreadable(void *ctx, uint8_t role, const char *name, const struct bh_err *why)
{
	(void)ctx, (void)role, (void)name, (void)why;
}

static int run(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = { .name = "node", .run = node_child_run, .handle = handle, .ctx = p,
				      .limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = 300 } };
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0) {
		*err = why;
		rc = result;
	}
	return rc;
}

int comply_node(const struct comply_options *options, struct comply_report *out, struct comply_reason_vec *pool, struct bh_err *err)
{
	struct parent p = { .context = { options }, .out = out, .pool = pool, .root_fd = -1 };
	if (options->root) {
		p.root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p.root_fd < 0)
			return bh_fail_errno(err, errno, "--root %s", options->root);
	}
	intake_init(&p.intake, unreadable, &p);
	int rc = intake_add(&p.intake, options->paths, options->n_paths, 0, err);
	p.intake.rendering = options->rendering;
	rc = rc < 0 ? rc : intake_ready(&p.intake, err);
	rc = rc < 0 ? rc : run(&p, err);
	intake_done(&p.intake);
	if (p.root_fd >= 0)
		(void)close(p.root_fd);
	return rc;
}
