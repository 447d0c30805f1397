/* profile.c: what is decided; profile_write.c writes it. */
#include "harden/profile.h"

#include "base/limits.h"

#define ARENA_BYTES_MAX (16u << 20)
#define FOLDERS_MAX 64u
#define WORDS_MAX 4096u
#define NOBODY_OF_ITS_OWN 65532u /* "nonroot" of distroless images: no user of a distribution has it */

void profile_init(struct profile *p)
{
	*p = (struct profile){ .command.max = WORDS_MAX, .folders.max = FOLDERS_MAX };
	bh_arena_init(&p->arena, ARENA_BYTES_MAX);
}

void profile_done(struct profile *p)
{
	binary_name_vec_done(&p->command);
	profile_folder_vec_done(&p->folders);
	bh_arena_done(&p->arena);
}

static struct bh_slice setting(const struct bh_report *report, enum bh_setting_kind kind)
{
	for (size_t i = 0; i < report->settings.len; i++)
		if (report->settings.ptr[i].kind == kind)
			return report->settings.ptr[i].value;
	return (struct bh_slice){ 0 };
}

static struct bh_slice variable(const struct bh_report *report, const char *name)
{
	for (size_t i = 0; i < report->settings.len; i++) {
		struct bh_slice head, tail;
		if (report->settings.ptr[i].kind == BH_SETTING_ENV && bh_slice_cut(report->settings.ptr[i].value, '=', &head, &tail) && bh_slice_eq_str(head, name))
			return tail;
	}
	return (struct bh_slice){ 0 };
}

/* ---- programs ---- */

/* What a line for a shell may start. */
static void add_line(struct reach *reach, struct bh_slice line, struct bh_slice folder, const char *why)
{
	size_t start = 0;
	for (size_t at = 0; at <= line.len; at++) {
		if (at < line.len && gather_is_word_byte(line.ptr[at]))
			continue;
		if (at > start)
			(void)reach_add_program(reach, bh_slice_sub(line, start, at - start), folder, why);
		start = at + 1;
	}
}

/* What the image's health check starts: ["CMD", program, words...], ["CMD-SHELL", line], ["NONE"]. */
static void add_health_check(const struct bh_report *report, struct reach *reach, struct bh_slice folder)
{
	size_t n = 0;
	bool shell = false;
	for (size_t i = 0; i < report->settings.len; i++) {
		struct bh_slice word = report->settings.ptr[i].value;
		if (report->settings.ptr[i].kind != BH_SETTING_HEALTHCHECK)
			continue;
		if (n == 0)
			shell = bh_slice_eq_str(word, "CMD-SHELL");
		else if (shell || n > 1)
			add_line(reach, word, folder, "named by the image's health check");
		else
			(void)reach_add_program(reach, word, folder, "the image's health check");
		n++;
	}
	if (shell)
		(void)reach_add_program(reach, BH_SLICE_LIT("/bin/sh"), folder, "the shell of the image's health check");
}

int profile_programs(const struct profile_options *o, const struct bh_report *report, struct reach *reach, struct profile *p, struct bh_err *err)
{
	static const enum bh_setting_kind kinds[] = { BH_SETTING_ENTRYPOINT, BH_SETTING_CMD };
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < report->settings.len; i++)
			if (report->settings.ptr[i].kind == kinds[k] && !binary_name_vec_push(&p->command, report->settings.ptr[i].value))
				return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	reach_set_paths(reach, variable(report, "PATH"), variable(report, "LD_LIBRARY_PATH"));
	struct bh_slice folder = setting(report, BH_SETTING_WORKDIR);
	if (p->command.len && !reach_add_program(reach, p->command.ptr[0], folder, "the image's entry point"))
		return bh_fail(err, BH_ENOTFOUND, 0, "the image starts \"%.*s\", but there is no such program in it", BH_SLICE_FMT(bh_slice_sub(p->command.ptr[0], 0, 200)));
	for (size_t i = 1; i < p->command.len; i++)
		add_line(reach, p->command.ptr[i], folder, "named by the image's command");
	add_health_check(report, reach, folder);
	for (size_t i = 0; i < o->n_programs; i++)
		if (!reach_add_program(reach, bh_slice_str(o->programs[i]), folder, "--program"))
			return bh_fail(err, BH_EUSAGE, 0, "--program %.200s: there is no such program in it", o->programs[i]);
	if (reach->parts.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "it has no entry point and no command: name what runs in it with --program");
	return 0;
}

/* ---- the user ---- */

/* name:password:uid:gid:... */
static bool find_user(const struct gather *g, struct bh_slice wanted, uint32_t *uid, uint32_t *gid, struct bh_slice *name)
{
	const struct gather_file *f = gather_find(g, BH_SLICE_LIT("etc/passwd"));
	struct bh_slice rest = f ? f->text : (struct bh_slice){ 0 }, line, head, number;
	while (rest.len) {
		uint64_t u, n;
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		(void)bh_slice_cut(line, ':', &head, &line);
		(void)bh_slice_cut(line, ':', &number, &line);
		(void)bh_slice_cut(line, ':', &number, &line);
		if (!bh_slice_u64(number, UINT32_MAX - 1, &u))
			continue;
		struct bh_slice uid_text = number;
		(void)bh_slice_cut(line, ':', &number, &line);
		if (!bh_slice_u64(number, UINT32_MAX - 1, &n) || (!bh_slice_eq(head, wanted) && !bh_slice_eq(uid_text, wanted)))
			continue;
		*uid = (uint32_t)u;
		*gid = (uint32_t)n;
		*name = head;
		return true;
	}
	return false;
}

static bool find_group(const struct gather *g, struct bh_slice wanted, uint32_t *gid)
{
	const struct gather_file *f = gather_find(g, BH_SLICE_LIT("etc/group"));
	struct bh_slice rest = f ? f->text : (struct bh_slice){ 0 }, line, head, number;
	while (rest.len) {
		uint64_t n;
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		(void)bh_slice_cut(line, ':', &head, &line);
		(void)bh_slice_cut(line, ':', &number, &line);
		(void)bh_slice_cut(line, ':', &number, &line);
		if (bh_slice_eq(head, wanted) && bh_slice_u64(number, UINT32_MAX - 1, &n)) {
			*gid = (uint32_t)n;
			return true;
		}
	}
	return false;
}

/* "name", "uid", "name:group": as in an image's configuration. False: it is in no database and no number. */
static bool take_user(struct profile *p, const struct gather *g, struct bh_slice text)
{
	struct bh_slice user, group;
	uint64_t n;
	bool has_group = bh_slice_cut(text, ':', &user, &group);
	p->user_by_name = find_user(g, user, &p->uid, &p->gid, &p->user_name);
	if (!p->user_by_name) {
		if (!bh_slice_u64(user, UINT32_MAX - 1, &n))
			return false;
		p->uid = p->gid = (uint32_t)n;
	}
	if (!has_group)
		return true;
	if (bh_slice_u64(group, UINT32_MAX - 1, &n))
		p->gid = (uint32_t)n;
	else if (!find_group(g, group, &p->gid))
		return false;
	return true;
}

/* The account that a distribution makes for a service: named after the program, or the one below. */
static bool service_user(struct profile *p, const struct reach *reach)
{
	static const struct {
		const char *program, *user;
	} known[] = {
		{ "nginx", "nginx" }, { "nginx", "www-data" }, { "apache2", "www-data" }, { "httpd", "apache" }, { "redis-server", "redis" }, { "valkey-server", "valkey" },
		{ "postgres", "postgres" }, { "mysqld", "mysql" }, { "mariadbd", "mysql" }, { "memcached", "memcache" }, { "haproxy", "haproxy" }, { "named", "bind" },
		{ "mongod", "mongodb" }, { "node", "node" }, { "php-fpm", "www-data" }, { "dnsmasq", "dnsmasq" }, { "varnishd", "varnish" }, { "squid", "proxy" },
	};
	for (size_t i = 0; i < reach->parts.len; i++) {
		struct bh_slice path = reach->parts.ptr[i].name;
		for (size_t k = 0; reach->parts.ptr[i].program && k < sizeof(known) / sizeof(known[0]); k++)
			if (bh_slice_eq_str(path, known[k].program) && find_user(reach->gather, bh_slice_str(known[k].user), &p->uid, &p->gid, &p->user_name) && p->uid)
				return true;
	}
	return false;
}

static int decide_user(const struct profile_options *o, const struct bh_report *report, const struct reach *reach, struct profile *p, struct bh_err *err)
{
	struct bh_slice said = setting(report, BH_SETTING_USER);
	if (o->user) {
		p->user_why = BH_SLICE_LIT("--user");
		return take_user(p, reach->gather, bh_slice_str(o->user)) ? 0 :
		       bh_fail(err, BH_EUSAGE, 0, "--user %.100s: neither a number nor in the image's user database", o->user);
	}
	if (said.len && take_user(p, reach->gather, said) && p->uid != 0) {
		p->user_why = BH_SLICE_LIT("the image's own user");
		return 0;
	}
	p->user_by_name = service_user(p, reach);
	if (p->user_by_name) {
		p->user_why = BH_SLICE_LIT("the image runs as root; this is the account that its distribution made for the service");
		return 0;
	}
	p->uid = p->gid = NOBODY_OF_ITS_OWN;
	p->user_name = (struct bh_slice){ 0 };
	p->user_why = BH_SLICE_LIT("the image runs as root and has no account for the service: a number that no user has");
	return 0;
}

/* ---- folders ---- */

static bool add_folder(struct profile *p, struct bh_slice path, bool keeps, const char *why)
{
	for (size_t i = 0; i < p->folders.len; i++) {
		struct bh_slice known = p->folders.ptr[i].path;
		bool below = bh_slice_starts(path, known) && (path.len == known.len || path.ptr[known.len] == '/');
		if (below && (p->folders.ptr[i].keeps || !keeps)) /* it is writable already */
			return true;
	}
	struct profile_folder f = { .why = bh_slice_str(why), .keeps = keeps };
	if (!bh_arena_copy(&p->arena, path, &f.path) || !profile_folder_vec_push(&p->folders, f))
		p->cut = true;
	return !p->cut;
}

static bool is_below(struct bh_slice path, const char *const *folders)
{
	for (; *folders; folders++)
		if (bh_slice_starts(path, bh_slice_str(*folders)))
			return true;
	return false;
}

static bool is_folder(const struct gather *g, struct bh_slice path)
{
	const struct gather_file *f = gather_find(g, path);
	return f && f->kind == GATHER_FOLDER;
}

/* The folders, with all links resolved, in which services keep what changes. */
static const char *const changing[] = { "var/log/", "var/lib/", "var/cache/", "var/spool/", "var/tmp/", NULL };

/* A path that a program or its configuration names: the folder itself or the one of the file is to be writable. */
static void add_named(struct profile *p, const struct gather *g, struct bh_slice named)
{
	struct bh_slice path;
	if (named.len < 2 || named.ptr[0] != '/' || !gather_resolve(g, named, &p->arena, &path))
		return;
	while (path.len && !is_folder(g, path)) {
		size_t at = path.len;
		while (at && path.ptr[at - 1] != '/')
			at--;
		path = bh_slice_sub(path, 0, at ? at - 1 : 0);
	}
	if (path.len == 0 || !is_below(path, changing))
		return;
	const struct gather_file *f = gather_find(g, path);
	const char *text = bh_arena_printf(&p->arena, "/%.*s", BH_SLICE_FMT(path));
	if (!text || !f)
		return;
	bool own = f->uid == p->uid && p->uid != 0;
	bool keeps = own && bh_slice_starts(path, BH_SLICE_LIT("var/lib/"));
	(void)add_folder(p, bh_slice_str(text), keeps, keeps ? "a program or its configuration names it, and the user owns it: data" : "a program or its configuration names it");
}

/* Of the service's own packages: /etc/NAME/... of a program NAME that runs. */
static bool belongs_to_program(const struct reach *reach, struct bh_slice path)
{
	struct bh_slice folder, rest;
	path = bh_slice_sub(path, strlen("etc/"), path.len);
	if (!bh_slice_cut(path, '/', &folder, &rest))
		folder = bh_slice_sub(path, 0, bh_slice_find(path, '.'));
	for (size_t i = 0; folder.len && i < reach->parts.len; i++) {
		struct bh_slice name = reach->parts.ptr[i].name;
		if (reach->parts.ptr[i].program && name.len && memmem(name.ptr, name.len, folder.ptr, folder.len))
			return true;
	}
	return false;
}

static void decide_folders(const struct bh_report *report, const struct reach *reach, struct profile *p)
{
	const struct gather *g = reach->gather;
	(void)add_folder(p, BH_SLICE_LIT("/tmp"), false, "temporary files");
	(void)add_folder(p, BH_SLICE_LIT("/run"), false, "process ids, sockets and locks");
	for (size_t i = 0; i < report->settings.len; i++)
		if (report->settings.ptr[i].kind == BH_SETTING_VOLUME)
			(void)add_folder(p, report->settings.ptr[i].value, true, "a volume of the image");
	for (size_t i = 0; i < reach->parts.len; i++) {
		const struct reach_part *part = &reach->parts.ptr[i];
		for (size_t k = 0; part->program && part->file->has_binary && k < part->file->binary.strings.len; k++)
			add_named(p, g, part->file->binary.strings.ptr[k]);
	}
	for (size_t i = 0; i < g->files.len; i++) {
		const struct gather_file *f = g->files.ptr[i];
		if (f->kind != GATHER_TEXT || f->words.len == 0 || gather_find(g, f->path) != f || !belongs_to_program(reach, f->path))
			continue;
		for (size_t k = 0; k < f->words.len; k++)
			add_named(p, g, f->words.ptr[k]);
	}
	/* What the user owns was made for the service. */
	for (size_t i = 0; p->uid && i < g->files.len; i++) {
		const struct gather_file *f = g->files.ptr[i];
		const char *text = f->kind == GATHER_FOLDER && f->uid == p->uid && is_below(f->path, changing) ? bh_arena_printf(&p->arena, "/%.*s", BH_SLICE_FMT(f->path)) : NULL;
		if (text)
			(void)add_folder(p, bh_slice_str(text), bh_slice_starts(f->path, BH_SLICE_LIT("var/lib/")), "the user owns it");
	}
}

/* ---- ports ---- */

static void decide_ports(const struct bh_report *report, const struct reach *reach, struct profile *p)
{
	bool any = false;
	for (size_t i = 0; i < report->settings.len; i++) {
		struct bh_slice number, rest;
		uint64_t port;
		if (report->settings.ptr[i].kind != BH_SETTING_PORT)
			continue;
		any = true;
		(void)bh_slice_cut(report->settings.ptr[i].value, '/', &number, &rest);
		if (bh_slice_u64(number, 65535, &port) && port < 1024) {
			p->low_ports = true;
			p->ports_why = BH_SLICE_LIT("the image exposes a port below 1024");
			return;
		}
	}
	p->low_ports = !any && reach_uses(reach, "bind");
	p->ports_why = p->low_ports ? BH_SLICE_LIT("a program can listen, and the image does not say on which ports") :
				      any ? BH_SLICE_LIT("all ports that the image exposes are above 1023") : BH_SLICE_LIT("nothing in the image listens");
}

int profile_decide(const struct profile_options *o, const struct bh_report *report, const struct reach *reach, struct profile *p, struct bh_err *err)
{
	int rc = decide_user(o, report, reach, p, err);
	if (rc < 0)
		return rc;
	decide_folders(report, reach, p);
	decide_ports(report, reach, p);
	return 0;
}
