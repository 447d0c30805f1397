#include "comply/docker_host.h"

#include "comply/settings.h"
#include "kube/objects.h"

#include <string.h>

#define PATHS_MAX 4u
#define NAMES_MAX 5000u

#define HIGH BH_SEV_HIGH
#define MEDIUM BH_SEV_MEDIUM
#define LOW BH_SEV_LOW

typedef int docker_question(struct node *n, struct comply_row *row, struct bh_err *err);

static docker_question ask_own_partition, ask_group_members, ask_content_trust;

static const struct {
	const char *check;
	docker_question *ask;
	enum bh_severity severity;
	const char *fix;
} questions[] = {
#define HOST(check, function, severity, fix) { check, ask_##function, severity, fix },
#define AUDIT(check, what, ...)
#include "hosts.def"
#undef HOST
#undef AUDIT
};
#define N_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const struct audited {
	const char *check, *what;
	const char *paths[PATHS_MAX];
} audits[] = {
#define HOST(check, function, severity, fix)
#define AUDIT(check, what, ...) { check, what, { __VA_ARGS__ } },
#include "hosts.def"
#undef HOST
#undef AUDIT
};
#define N_AUDITS (sizeof(audits) / sizeof(audits[0]))

bool node_docker_facts(struct bh_slice check, enum bh_severity *severity, const char **fix)
{
	for (size_t i = 0; i < N_QUESTIONS; i++)
		if (bh_slice_eq_str(check, questions[i].check)) {
			*severity = questions[i].severity;
			*fix = questions[i].fix;
			return true;
		}
	for (size_t i = 0; i < N_AUDITS; i++)
		if (bh_slice_eq_str(check, audits[i].check)) {
			*severity = BH_SEV_LOW;
			*fix = "Add \"-w PATH -p wa -k containers\" to a file in /etc/audit/rules.d, and run augenrules --load.";
			return true;
		}
	return false;
}

/* ---- what is there ---- */

static int is_there(struct node *n, const char *path, bool *ret, struct bh_err *err)
{
	struct host_stat st = { 0 };
	int rc = n->host->stat(n->host->ctx, bh_slice_str(path), &st, err);
	*ret = rc == 0 && st.kind != HOST_ABSENT;
	return rc;
}

/* ---- settings ---- */

static struct bh_slice text_of(struct cel_value v)
{
	return v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 };
}

static struct bh_slice field(struct cel_value map, const char *name)
{
	const struct cel_value *v = map.kind == CEL_MAP ? cel_map_field(map.map, bh_slice_str(name)) : NULL;
	if (v && v->kind == CEL_LIST && v->list->len)
		return text_of(v->list->items[v->list->len - 1]);
	return v ? text_of(*v) : (struct bh_slice){ 0 };
}

int docker_setting(struct node *n, const char *name, struct bh_slice *ret, struct bh_err *err)
{
	*ret = (struct bh_slice){ 0 };
	for (size_t i = 0; i < n->objects->len && ret->len == 0; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		if (!bh_slice_eq_str(o->kind, "DockerDaemon"))
			continue;
		*ret = field(kube_path(o->value, "spec.settings.flags"), name);
		if (ret->len == 0)
			*ret = field(kube_path(o->value, "spec.settings.file"), name);
	}
	if (ret->len || !n->host->has_root)
		return 0;
	const struct node_file *file;
	int rc = node_config(n, BH_SLICE_LIT("/etc/docker/daemon.json"), NODE_YAML, &file, err);
	if (rc == 0 && file->config.tree)
		*ret = field(file->config.root, name);
	return rc;
}

/* ---- single questions ---- */

static int data_folder(struct node *n, struct bh_slice *ret, struct bh_err *err)
{
	int rc = docker_setting(n, "data-root", ret, err);
	if (rc == 0 && (ret->len == 0 || ret->ptr[0] != '/'))
		*ret = BH_SLICE_LIT("/var/lib/docker");
	return rc;
}

/* A host without any of these has no Docker, and nothing to ask of it. */
static int has_docker(struct node *n, bool *ret, struct bh_err *err)
{
	static const char *const places[] = { "/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/etc/docker", "/var/lib/docker" };
	int rc = 0;
	*ret = false;
	for (size_t i = 0; rc == 0 && !*ret && i < sizeof(places) / sizeof(places[0]); i++)
		rc = is_there(n, places[i], ret, err);
	return rc;
}

/* The part of a line between blanks; false: there is none left. */
static bool take_word(struct bh_slice *rest, struct bh_slice *ret)
{
	size_t n = 0;
	*rest = bh_slice_trim(*rest);
	while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t')
		n++;
	*ret = bh_slice_sub(*rest, 0, n);
	*rest = bh_slice_sub(*rest, n, rest->len);
	return n > 0;
}

static bool lies_in(struct bh_slice path, struct bh_slice folder)
{
	return bh_slice_eq(path, folder) || (bh_slice_starts(path, folder) && (folder.len == 1 || (path.len > folder.len && path.ptr[folder.len] == '/')));
}

/*
 * /proc/1/mountinfo: "36 35 98:0 /root/in/it /mount/point ...". dockerd mounts its folder on itself, so what counts is that the device is another one than that of
 * the folder above.
 */
static bool has_own_device(struct bh_slice text, struct bh_slice folder)
{
	struct bh_slice line, word, own = { 0 }, above = { 0 };
	size_t best = 0;
	while (text.len) {
		struct bh_slice device = { 0 }, point = { 0 };
		(void)bh_slice_cut(text, '\n', &line, &text);
		for (int i = 0; i < 5 && take_word(&line, &word); i++) {
			device = i == 2 ? word : device;
			point = i == 4 ? word : point;
		}
		if (bh_slice_eq(point, folder)) {
			own = device;
		} else if (point.len >= best && point.len && lies_in(folder, point)) {
			best = point.len;
			above = device;
		}
	}
	return own.len && !bh_slice_eq(own, above);
}

/* "/dev/sdb1 /var/lib/docker ext4 ..." */
static bool is_in_fstab(struct bh_slice text, struct bh_slice folder)
{
	struct bh_slice line, word;
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (take_word(&line, &word) && word.ptr[0] != '#' && take_word(&line, &word) && bh_slice_eq(word, folder))
			return true;
	}
	return false;
}

/* The mounts of process 1; of a host that does not run, what it would mount. */
static int ask_own_partition(struct node *n, struct comply_row *row, struct bh_err *err)
{
	struct bh_slice folder, text, problem;
	bool own;
	row->file = BH_SLICE_LIT("/proc/1/mountinfo");
	int rc = data_folder(n, &folder, err);
	rc = rc < 0 ? rc : node_read(n, BH_SLICE_LIT("/proc/1/mountinfo"), &text, &problem, err);
	if (rc < 0)
		return rc;
	own = has_own_device(text, folder);
	if (text.len == 0 && problem.len == 0) {
		row->file = BH_SLICE_LIT("/etc/fstab");
		rc = node_read(n, BH_SLICE_LIT("/etc/fstab"), &text, &problem, err);
		own = rc == 0 && is_in_fstab(text, folder);
	}
	if (rc < 0)
		return rc;
	if (problem.len || text.len == 0)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(problem.len ? problem : BH_SLICE_LIT("neither /proc/1/mountinfo nor /etc/fstab tells what is mounted")));
	if (own)
		return node_say(n, row, COMPLY_PASS, err, "%.*s is a file system of its own", BH_SLICE_FMT(folder));
	return node_say(n, row, COMPLY_FAIL, err, "%.*s lies in another file system, which images and logs can fill", BH_SLICE_FMT(folder));
}

static int ask_group_members(struct node *n, struct comply_row *row, struct bh_err *err)
{
	struct bh_slice text, problem, line, name, rest, group;
	int rc = node_read(n, BH_SLICE_LIT("/etc/group"), &text, &problem, err);
	rc = rc < 0 ? rc : docker_setting(n, "group", &group, err);
	if (rc < 0)
		return rc;
	row->file = BH_SLICE_LIT("/etc/group");
	if (problem.len || text.len == 0)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(problem.len ? problem : BH_SLICE_LIT("it is absent or empty")));
	group = group.len ? group : BH_SLICE_LIT("docker");
	while (text.len) {
		row->line++;
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (!bh_slice_cut(line, ':', &name, &rest) || !bh_slice_eq(name, group))
			continue;
		for (int i = 0; i < 2; i++)
			(void)bh_slice_cut(rest, ':', &name, &rest);
		rest = bh_slice_trim(rest);
		return rest.len ? node_say(n, row, COMPLY_FAIL, err, "in the group %.*s, and so root here: %.*s", BH_SLICE_FMT(group), BH_SLICE_FMT(bh_slice_sub(rest, 0, 500))) :
				  node_say(n, row, COMPLY_PASS, err, "nobody is in the group %.*s", BH_SLICE_FMT(group));
	}
	row->line = 0;
	return node_say(n, row, COMPLY_PASS, err, "there is no group %.*s", BH_SLICE_FMT(group));
}

static int ask_content_trust(struct node *n, struct comply_row *row, struct bh_err *err)
{
	struct bh_slice text, problem, line;
	int rc = node_read(n, BH_SLICE_LIT("/etc/environment"), &text, &problem, err);
	if (rc < 0)
		return rc;
	row->file = BH_SLICE_LIT("/etc/environment");
	if (problem.len)
		return node_say(n, row, COMPLY_UNCHECKED, err, "%.*s", BH_SLICE_FMT(problem));
	while (text.len) {
		row->line++;
		(void)bh_slice_cut(text, '\n', &line, &text);
		line = bh_slice_trim(line);
		if (bh_slice_eq_str(line, "DOCKER_CONTENT_TRUST=1") || bh_slice_eq_str(line, "DOCKER_CONTENT_TRUST=\"1\"") || bh_slice_eq_str(line, "export DOCKER_CONTENT_TRUST=1"))
			return node_say(n, row, COMPLY_PASS, err, "DOCKER_CONTENT_TRUST=1 is set for everybody");
	}
	row->line = 0;
	return node_say(n, row, COMPLY_FAIL, err, "DOCKER_CONTENT_TRUST=1 is not set for everybody: images without signatures are pulled");
}

/* ---- audit rules ---- */

/* The folder itself, or something in it. */
static bool covers(struct bh_slice watched, struct bh_slice path)
{
	while (watched.len > 1 && watched.ptr[watched.len - 1] == '/')
		watched.len--;
	return bh_slice_eq(watched, path) || (bh_slice_starts(path, watched) && path.len > watched.len && (watched.len == 1 || path.ptr[watched.len] == '/'));
}

/* "-w /etc/docker -p wa -k docker", "-a always,exit -F dir=/etc/docker -F perm=wa": without permissions all are watched. */
static bool watches(struct bh_slice line, struct bh_slice path)
{
	struct bh_slice word, before = { 0 }, permissions = BH_SLICE_LIT("rwxa");
	bool hit = false, never = false;
	line = bh_slice_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return false;
	for (struct bh_slice rest = line; rest.len; before = word) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		rest = bh_slice_trim(rest);
		if (bh_slice_eq_str(before, "-w"))
			hit |= covers(word, path);
		else if (bh_slice_eq_str(before, "-p"))
			permissions = word;
		else if (bh_slice_eq_str(before, "-a"))
			never |= bh_slice_search(word, "never") != NULL;
		else if (bh_slice_starts(word, BH_SLICE_LIT("dir=")))
			hit |= covers(bh_slice_sub(word, 4, word.len), path);
		else if (bh_slice_starts(word, BH_SLICE_LIT("path=")))
			hit |= bh_slice_eq(bh_slice_sub(word, 5, word.len), path);
		else if (bh_slice_starts(word, BH_SLICE_LIT("perm=")))
			permissions = bh_slice_sub(word, 5, word.len);
	}
	return hit && !never && bh_slice_find(permissions, 'w') < permissions.len;
}

struct audit_file {
	struct bh_slice path, text;
};
BH_VEC(audit_file_vec, struct audit_file)

static int add_rules(struct node *n, struct bh_slice path, struct audit_file_vec *files, struct bh_slice *problem, struct bh_err *err)
{
	struct audit_file file = { .path = path };
	struct bh_slice why = { 0 };
	int rc = node_read(n, path, &file.text, &why, err);
	if (rc == 0 && why.len && problem->len == 0)
		*problem = why;
	return rc < 0 || file.text.len == 0 || audit_file_vec_push(files, file) ? rc : node_no_memory(err);
}

static int read_rules(struct node *n, struct audit_file_vec *files, struct bh_slice *problem, struct bh_err *err)
{
	struct host_name_vec names = { .max = NAMES_MAX };
	struct bh_err why = { 0 };
	int rc = add_rules(n, BH_SLICE_LIT("/etc/audit/audit.rules"), files, problem, err);
	rc = rc < 0 ? rc : n->host->list(n->host->ctx, BH_SLICE_LIT("/etc/audit/rules.d"), &n->arena, &names, &why);
	if (rc == BH_EIO) {
		*problem = BH_SLICE_LIT("/etc/audit/rules.d: the rights to list it are missing");
		rc = 0;
	} else if (rc < 0 && why.code) {
		*err = why;
	}
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *path = bh_arena_printf(&n->arena, "/etc/audit/rules.d/%.*s", BH_SLICE_FMT(names.ptr[i]));
		if (!path)
			rc = node_no_memory(err);
		else if (bh_slice_ends(names.ptr[i], BH_SLICE_LIT(".rules")))
			rc = add_rules(n, bh_slice_str(path), files, problem, err);
	}
	host_name_vec_done(&names);
	return rc;
}

static int say_audit(struct node *n, const struct audited *a, struct bh_slice path, const struct audit_file_vec *files, struct bh_slice problem, struct bh_err *err)
{
	struct comply_row row = { .check = bh_slice_str(a->check), .evidence = bh_slice_str(a->what) };
	for (size_t i = 0; i < files->len; i++) {
		struct bh_slice line;
		row.line = 0;
		row.file = files->ptr[i].path;
		for (struct bh_slice rest = files->ptr[i].text; rest.len;) {
			(void)bh_slice_cut(rest, '\n', &line, &rest);
			row.line++;
			if (watches(line, path))
				return node_say(n, &row, COMPLY_PASS, err, "changes of %.*s are audited", BH_SLICE_FMT(path));
		}
	}
	row.file = path;
	row.line = 0;
	if (problem.len)
		return node_say(n, &row, COMPLY_UNCHECKED, err, "rules of the audit daemon were not read: %.*s", BH_SLICE_FMT(problem));
	return node_say(n, &row, COMPLY_FAIL, err, "no rule in /etc/audit audits changes of it");
}

static int check_audit(struct node *n, const struct audited *a, const struct audit_file_vec *files, struct bh_slice problem, struct bh_err *err)
{
	struct bh_slice path = { 0 };
	int rc = strcmp(a->check, "docker-audit-data") == 0 ? data_folder(n, &path, err) : 0;
	for (size_t i = 0; rc == 0 && path.len == 0 && i < PATHS_MAX && a->paths[i]; i++) {
		bool found = false;
		rc = is_there(n, a->paths[i], &found, err);
		if (found)
			path = bh_slice_str(a->paths[i]);
	}
	if (rc < 0)
		return rc;
	if (path.len)
		return say_audit(n, a, path, files, problem, err);
	struct comply_row row = { .check = bh_slice_str(a->check), .evidence = bh_slice_str(a->what) };
	return node_say(n, &row, COMPLY_NOT_APPLICABLE, err, "this host has no %s", a->paths[0]);
}

/* ---- all of them ---- */

static int say_no_docker(struct node *n, const char *check, struct bh_err *err)
{
	struct comply_row row = { .check = bh_slice_str(check) };
	return node_say(n, &row, COMPLY_NOT_APPLICABLE, err, "this host has no Docker");
}

int node_check_docker(struct node *n, struct bh_err *err)
{
	struct audit_file_vec files = { .max = NAMES_MAX };
	struct bh_slice problem = { 0 };
	bool docker = false;
	int rc = n->host->has_root ? has_docker(n, &docker, err) : 0;
	if (rc == 0 && n->host->has_root)
		rc = read_rules(n, &files, &problem, err);
	for (size_t i = 0; rc == 0 && n->host->has_root && i < N_QUESTIONS; i++) {
		struct comply_row row = { .check = bh_slice_str(questions[i].check) };
		rc = docker ? questions[i].ask(n, &row, err) : say_no_docker(n, questions[i].check, err);
	}
	for (size_t i = 0; rc == 0 && n->host->has_root && i < N_AUDITS; i++)
		rc = check_audit(n, &audits[i], &files, problem, err);
	audit_file_vec_done(&files);
	return rc;
}
