#include "comply/node_files.h"

#include "base/cleanup.h"
#include "comply/docker_host.h"
#include "comply/settings.h"

#include <string.h>

#define PATHS_MAX 12u
#define FOLDER_DEPTH_MAX 8u
#define FILES_PER_CHECK_MAX 20000u

enum owner { ROOT, ETCD_USER, DOCKER_GROUP };

struct protected_file {
	const char *mode_check, *owner_check, *what;
	uint32_t mode;
	enum owner owner;
	enum bh_severity severity;
	const char *setting;
	const char *paths[PATHS_MAX];
};

#define CRITICAL BH_SEV_CRITICAL
#define HIGH BH_SEV_HIGH
#define MEDIUM BH_SEV_MEDIUM
#define OWNER_ROOT ROOT
#define OWNER_ETCD ETCD_USER
#define OWNER_DOCKER DOCKER_GROUP

static const struct protected_file files[] = {
#define PROTECTED(name, what, mode, owner, severity, setting, ...) { name "-mode", name "-owner", what, mode, OWNER_##owner, severity, setting, { __VA_ARGS__ } },
#include "files.def"
#undef PROTECTED
};
#define N_FILES (sizeof(files) / sizeof(files[0]))

static const char *const chown_of[] = { [ROOT] = "chown root:root", [ETCD_USER] = "chown etcd:etcd", [DOCKER_GROUP] = "chown root:docker" };

static const char *chmod_of(uint32_t mode)
{
	static const struct { uint32_t mode; const char *fix; } all[] = { { 0400, "chmod 400" }, { 0444, "chmod 444" }, { 0644, "chmod 644" }, { 0660, "chmod 660" },
									  { 0700, "chmod 700" }, { 0755, "chmod 755" } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].mode == mode)
			return all[i].fix;
	return "chmod 600";
}

bool node_file_facts(struct bh_slice check, enum bh_severity *severity, const char **fix)
{
	for (size_t i = 0; i < N_FILES; i++) {
		bool is_mode = bh_slice_eq_str(check, files[i].mode_check);
		if (!is_mode && !bh_slice_eq_str(check, files[i].owner_check))
			continue;
		*severity = files[i].severity;
		*fix = is_mode ? chmod_of(files[i].mode) : chown_of[files[i].owner];
		return true;
	}
	return false;
}

/* ---- who etcd is ---- */

/* The number of a name in /etc/passwd or /etc/group: its third field. */
static int number_of(struct node *n, const char *path, const char *name, uint32_t *ret, bool *found, struct bh_err *err)
{
	struct bh_slice text, problem, line, field, rest;
	int rc = node_read(n, bh_slice_str(path), &text, &problem, err);
	*found = false;
	while (rc == 0 && text.len && !*found) {
		uint64_t number;
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (!bh_slice_cut(line, ':', &field, &rest) || !bh_slice_eq_str(field, name) || !bh_slice_cut(rest, ':', &field, &rest))
			continue;
		(void)bh_slice_cut(rest, ':', &field, &rest);
		*found = bh_slice_u64(field, UINT32_MAX, &number);
		if (*found)
			*ret = (uint32_t)number;
	}
	return rc;
}

/* ---- one file ---- */

BH_VEC(file_id_vec, uint64_t)

struct checking {
	struct node *n;
	const struct protected_file *f;
	struct file_id_vec seen; /* of files that were found: /lib and /usr/lib may be one folder */
	uint32_t uid, gid; /* who must own it */
	bool knows_owner;
	struct bh_err *err;
};

static int say_mode(struct checking *c, const struct host_stat *st, struct comply_row *row)
{
	row->check = bh_slice_str(c->f->mode_check);
	return node_say(c->n, row, st->mode & ~c->f->mode ? COMPLY_FAIL : COMPLY_PASS, c->err, "mode %03o; %03o or stricter is asked", st->mode, c->f->mode);
}

static int say_owner(struct checking *c, const struct host_stat *st, struct comply_row *row)
{
	const char *wanted = chown_of[c->f->owner] + strlen("chown ");
	row->check = bh_slice_str(c->f->owner_check);
	if (!c->knows_owner)
		return node_say(c->n, row, COMPLY_FAIL, c->err, "owned by %u:%u, and there is no %s", st->uid, st->gid, c->f->owner == ETCD_USER ? "user etcd" : "group docker");
	if (st->uid == c->uid && st->gid == c->gid)
		return node_say(c->n, row, COMPLY_PASS, c->err, "owned by %s", wanted);
	return node_say(c->n, row, COMPLY_FAIL, c->err, "owned by %u:%u, not %s", st->uid, st->gid, wanted);
}

/* A folder whose names can't be read counts as seen: what it holds is not known to be absent. */
static int say_denied(struct checking *c, struct bh_slice path)
{
	struct comply_row row = { .file = path, .evidence = bh_slice_str(c->f->what), .check = bh_slice_str(c->f->mode_check) };
	if (!file_id_vec_push(&c->seen, UINT64_MAX))
		return node_no_memory(c->err);
	int rc = node_say(c->n, &row, COMPLY_UNCHECKED, c->err, "the rights to look at it are missing");
	row.check = bh_slice_str(c->f->owner_check);
	return rc < 0 ? rc : node_say(c->n, &row, COMPLY_UNCHECKED, c->err, "the rights to look at it are missing");
}

static int check_path(struct checking *c, struct bh_slice path)
{
	struct host_stat st = { 0 };
	struct comply_row row = { .file = path, .evidence = bh_slice_str(c->f->what) };
	int rc = c->n->host->stat(c->n->host->ctx, path, &st, c->err);
	if (rc < 0 || st.kind == HOST_ABSENT)
		return rc;
	if (st.kind == HOST_DENIED)
		return say_denied(c, path);
	for (size_t i = 0; i < c->seen.len; i++)
		if (c->seen.ptr[i] == st.id)
			return 0;
	if (!file_id_vec_push(&c->seen, st.id))
		return bh_fail(c->err, BH_ELIMIT, 0, "%.*s: more than %u files", BH_SLICE_FMT(path), FILES_PER_CHECK_MAX);
	rc = say_mode(c, &st, &row);
	return rc < 0 ? rc : say_owner(c, &st, &row);
}

/* ---- many files ---- */

/* One "*": what stands before it and behind it must fit. */
static bool fits(struct bh_slice name, struct bh_slice before, struct bh_slice behind)
{
	return name.len >= before.len + behind.len && bh_slice_starts(name, before) && bh_slice_ends(name, behind);
}

static int check_folder(struct checking *c, struct bh_slice folder, struct bh_slice before, struct bh_slice behind, bool deep, unsigned depth)
{
	struct host_name_vec names = { .max = FILES_PER_CHECK_MAX };
	struct bh_err why = { 0 };
	int rc = c->n->host->list(c->n->host->ctx, folder, &c->n->arena, &names, &why);
	if (rc < 0)
		*c->err = why;
	if (rc == BH_EIO)
		rc = say_denied(c, folder);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *text = bh_arena_printf(&c->n->arena, "%.*s/%.*s", BH_SLICE_FMT(folder), BH_SLICE_FMT(names.ptr[i]));
		struct bh_slice path = bh_slice_str(text);
		struct host_stat st = { 0 };
		if (!text)
			rc = node_no_memory(c->err);
		else if (fits(names.ptr[i], before, behind))
			rc = check_path(c, path);
		if (rc == 0 && deep && depth < FOLDER_DEPTH_MAX) {
			rc = c->n->host->stat(c->n->host->ctx, path, &st, c->err);
			if (rc == 0 && st.kind == HOST_FOLDER)
				rc = check_folder(c, path, before, behind, deep, depth + 1);
		}
	}
	host_name_vec_done(&names);
	return rc;
}

static int check_pattern(struct checking *c, struct bh_slice pattern)
{
	size_t star = bh_slice_find(pattern, '*'), slash = star;
	if (star == pattern.len)
		return check_path(c, pattern);
	while (slash > 0 && pattern.ptr[slash - 1] != '/')
		slash--;
	bool deep = star + 1 < pattern.len && pattern.ptr[star + 1] == '*';
	return check_folder(c, bh_slice_sub(pattern, 0, slash ? slash - 1 : 0), bh_slice_sub(pattern, slash, star - slash),
			    bh_slice_sub(pattern, star + 1 + deep, pattern.len), deep, 0);
}

/* The places that components are told: "kubelet:kubeconfig:". */
static int check_told(struct checking *c)
{
	struct bh_slice name, flag, config, rest;
	int rc = 0;
	if (!c->f->setting)
		return 0;
	(void)bh_slice_cut(bh_slice_str(c->f->setting), ':', &name, &rest);
	if (bh_slice_eq_str(name, "docker")) {
		rc = docker_setting(c->n, c->f->setting + strlen("docker:"), &name, c->err);
		return rc < 0 || name.len == 0 || name.ptr[0] != '/' ? rc : check_path(c, name);
	}
	(void)bh_slice_cut(rest, ':', &flag, &config);
	for (size_t i = 0; rc == 0 && i < c->n->instances.len; i++) {
		const struct component_instance *in = &c->n->instances.ptr[i];
		struct setting_value v;
		if (!bh_slice_eq_str(name, component_name(in->component)))
			continue;
		rc = setting_find(c->n, in, flag, config, &v, c->err);
		if (rc == 0 && v.state == SETTING_SET && v.text.len && v.text.ptr[0] == '/')
			rc = check_path(c, v.text);
	}
	return rc;
}

static int say_absent(struct checking *c)
{
	struct comply_row row = { .evidence = bh_slice_str(c->f->what), .check = bh_slice_str(c->f->mode_check) };
	int rc = node_say(c->n, &row, COMPLY_NOT_APPLICABLE, c->err, "this node has no such file");
	row.check = bh_slice_str(c->f->owner_check);
	return rc < 0 ? rc : node_say(c->n, &row, COMPLY_NOT_APPLICABLE, c->err, "this node has no such file");
}

static int check_file(struct node *n, const struct protected_file *f, struct bh_err *err)
{
	struct checking c = { .n = n, .f = f, .seen = { .max = FILES_PER_CHECK_MAX }, .knows_owner = true, .err = err };
	int rc = 0;
	if (f->owner == ETCD_USER) {
		bool has_user = false, has_group = false;
		rc = number_of(n, "/etc/passwd", "etcd", &c.uid, &has_user, err);
		rc = rc < 0 ? rc : number_of(n, "/etc/group", "etcd", &c.gid, &has_group, err);
		c.knows_owner = has_user && has_group;
	}
	if (f->owner == DOCKER_GROUP)
		rc = number_of(n, "/etc/group", "docker", &c.gid, &c.knows_owner, err);
	rc = rc < 0 ? rc : check_told(&c);
	bool is_told = c.seen.len && f->setting;
	for (size_t i = 0; rc == 0 && !is_told && i < PATHS_MAX && f->paths[i]; i++)
		rc = check_pattern(&c, bh_slice_str(f->paths[i]));
	if (rc == 0 && c.seen.len == 0)
		rc = say_absent(&c);
	file_id_vec_done(&c.seen);
	return rc;
}

int node_check_files(struct node *n, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && n->host->has_root && i < N_FILES; i++)
		rc = check_file(n, &files[i], err);
	return rc;
}
