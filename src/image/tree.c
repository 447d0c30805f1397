/*
 * tree.c: a walk that can stop after every wanted file and go on later: a stack of folders, each with the sorted names in it
 * that matter. Links to wanted files, and links to folders in which wanted ones may lie, wait until the walk is done: most
 * lead to files that were given under their own names, which are recognised by device and inode.
 */
#include "image/tree.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "sys/signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEPTH_MAX 200u             /* one descriptor each; PATH_MAX allows more only on purpose */
#define NAMES_MAX 4000000u         /* in one folder */
#define NAME_ARENA_BYTES (256u << 20)
#define LINKS_MAX 20000u
#define GIVEN_MAX 4000000u
#define GIVEN_ARENA_BYTES (128u << 20)
#define HEAD_BYTES 64u             /* that a file is recognised by */
#define COMPLAINTS_MAX 20u         /* single entries; then one line with the number */

struct name {
	char *text;
	unsigned char type; /* DT_REG, DT_DIR, DT_LNK */
};

BH_VEC(name_vec, struct name)

struct level {
	int fd;
	size_t path_len; /* of the path that leads here */
	dev_t dev;
	struct name_vec names;
	size_t at;
	struct bh_arena arena;
};

struct waiting {
	struct bh_slice path;
	unsigned hops;
};

BH_VEC(waiting_vec, struct waiting)

struct image_tree {
	int root_fd;
	const struct image_visitor *visitor;
	struct bh_report *report;
	struct level levels[DEPTH_MAX];
	size_t depth;                 /* levels in use */
	uint8_t path[BH_PATH_BYTES_MAX];
	size_t path_len;
	struct waiting_vec links;
	size_t next_link;
	unsigned hops;                /* links that lead to where the walk is; 0 in the tree proper */
	struct bh_map given;          /* device and inode of files that were handed out */
	struct bh_arena arena;
	uint64_t complaints;
	char link[BH_PATH_BYTES_MAX]; /* target of the one that is looked at */
	bool started, shown;          /* shown: the link or folder that the walk is at was given to be looked at */
};

static struct bh_slice path_of(const struct image_tree *t)
{
	return (struct bh_slice){ t->path, t->path_len };
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for the directory tree");
}

/* Gone between listing and opening is no problem of the scan; everything else is told. */
static void complain(struct image_tree *t, const char *what, struct bh_slice path, int errno_value)
{
	if (errno_value == ENOENT || errno_value == ENOTDIR)
		return;
	if (t->complaints++ < COMPLAINTS_MAX)
		bh_report_incomplete(t->report, what, path, BH_NO_LAYER, "%s", strerror(errno_value));
}

static void close_level(struct level *l)
{
	if (l->fd >= 0)
		close(l->fd);
	name_vec_done(&l->names);
	bh_arena_done(&l->arena);
	l->fd = -1;
}

int image_tree_new(int root_fd, const struct image_visitor *visitor, struct bh_report *report, struct image_tree **ret, struct bh_err *err)
{
	struct image_tree *t = calloc(1, sizeof(*t));
	if (!t)
		return no_memory(err);
	t->root_fd = root_fd;
	t->visitor = visitor;
	t->report = report;
	t->links.max = LINKS_MAX;
	bh_map_init(&t->given, GIVEN_MAX);
	bh_arena_init(&t->arena, GIVEN_ARENA_BYTES);
	*ret = t;
	return 0;
}

void image_tree_free(struct image_tree *t)
{
	if (!t)
		return;
	while (t->depth)
		close_level(&t->levels[--t->depth]);
	waiting_vec_done(&t->links);
	bh_map_done(&t->given);
	bh_arena_done(&t->arena);
	free(t);
}

/* ---- opening ---- */

static int open_in_root(const struct image_tree *t, struct bh_slice path, uint64_t flags)
{
	char text[BH_PATH_BYTES_MAX + 1];
	const struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(path));
	return (int)syscall(SYS_openat2, t->root_fd, text, &how, sizeof(how));
}

/* File systems that hold no files but views of the kernel. */
static bool is_pseudo(int fd, struct bh_slice path)
{
	static const uint32_t magics[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEVPTS_SUPER_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC, DEBUGFS_MAGIC,
		TRACEFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, BINFMTFS_MAGIC, NSFS_MAGIC, HUGETLBFS_MAGIC,
	};
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if ((uint32_t)fs.f_type == magics[i])
			return true;
	}
	return (uint32_t)fs.f_type == TMPFS_MAGIC && bh_slice_eq_str(path, "dev"); /* devtmpfs calls itself tmpfs */
}

static bool push_path(struct image_tree *t, const char *name)
{
	size_t n = strlen(name), slash = t->path_len ? 1 : 0;
	if (n + slash > sizeof(t->path) - t->path_len)
		return false;
	if (slash)
		t->path[t->path_len++] = '/';
	memcpy(t->path + t->path_len, name, n);
	t->path_len += n;
	return true;
}

/* ---- listing ---- */

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return strcmp(x->text, y->text);
}

static unsigned char type_of(int dir_fd, const struct dirent *d)
{
	struct stat st;
	if (d->d_type != DT_UNKNOWN)
		return d->d_type;
	if (fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : S_ISLNK(st.st_mode) ? DT_LNK : DT_UNKNOWN;
}

/* Worth opening, to see how it begins? */
static bool may_be_program(const struct image_tree *t, int dir_fd, const char *name)
{
	struct stat st;
	if (!t->visitor->wants_content || t->hops || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return (st.st_mode & 0111) || strstr(name, ".so");
}

/* Whoever looks at everything has seen in the tree proper what lies behind links. */
static bool is_watched(const struct image_tree *t)
{
	return t->visitor->watcher && t->hops == 0;
}

static bool is_file_watched(const struct image_tree *t)
{
	return is_watched(t) && !t->visitor->watcher->no_files;
}

static bool matters(struct image_tree *t, int dir_fd, unsigned char type, const char *name)
{
	const struct image_visitor *v = t->visitor;
	size_t len = t->path_len;
	if (!push_path(t, name)) {
		complain(t, type == DT_DIR ? "directory" : "file", path_of(t), ENAMETOOLONG);
		return false;
	}
	bool yes = false;
	if (type == DT_DIR)
		yes = t->hops == 0 || v->wants_below(v->ctx, path_of(t)); /* behind a link only the fixed places are looked for */
	else if (type == DT_REG)
		yes = is_file_watched(t) || v->wants(v->ctx, path_of(t)) != 0 || may_be_program(t, dir_fd, name);
	else if (type == DT_LNK)
		yes = is_watched(t) || v->wants(v->ctx, path_of(t)) != 0 || v->wants_below(v->ctx, path_of(t));
	t->path_len = len;
	return yes;
}

static int list(struct image_tree *t, struct level *l, struct bh_err *err)
{
	int copy = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		int why = errno;
		if (copy >= 0)
			close(copy);
		complain(t, "directory", path_of(t), why);
		return 0;
	}
	int rc = 0;
	for (;;) {
		errno = 0;
		struct dirent *d = readdir(dir);
		if (!d) {
			if (errno)
				complain(t, "directory", path_of(t), errno);
			break;
		}
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		unsigned char type = type_of(l->fd, d);
		if (!matters(t, l->fd, type, d->d_name))
			continue;
		struct name n = { bh_arena_strdup(&l->arena, bh_slice_str(d->d_name)), type };
		if (!n.text || !name_vec_push(&l->names, n)) {
			rc = no_memory(err);
			break;
		}
	}
	closedir(dir);
	if (l->names.len > 1)
		qsort(l->names.ptr, l->names.len, sizeof(l->names.ptr[0]), compare_names);
	return rc;
}

/* Takes fd. */
static int enter(struct image_tree *t, int fd, struct bh_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		complain(t, "directory", path_of(t), errno);
		close(fd);
		return 0;
	}
	if (t->depth && st.st_dev != t->levels[t->depth - 1].dev && is_pseudo(fd, path_of(t))) {
		bh_debug("%.*s: a view of the kernel, not looked into", BH_SLICE_FMT(path_of(t)));
		close(fd);
		return 0;
	}
	if (t->depth == DEPTH_MAX) {
		bh_report_incomplete(t->report, "directory", path_of(t), BH_NO_LAYER, "more than %u folders deep", DEPTH_MAX);
		close(fd);
		return 0;
	}
	struct level *l = &t->levels[t->depth];
	*l = (struct level){ .fd = fd, .path_len = t->path_len, .dev = st.st_dev, .names.max = NAMES_MAX };
	bh_arena_init(&l->arena, NAME_ARENA_BYTES);
	t->depth++;
	return list(t, l, err);
}

/* ---- files ---- */

/* 1: new, 0: was given before, negative: out of memory. */
static int remember(struct image_tree *t, const struct stat *st, struct bh_err *err)
{
	uint64_t id[2] = { (uint64_t)st->st_dev, (uint64_t)st->st_ino };
	struct bh_slice key = { (const uint8_t *)id, sizeof(id) };
	if (bh_map_get(&t->given, key))
		return 0;
	struct bh_slice kept;
	void **slot = bh_arena_copy(&t->arena, key, &kept) ? bh_map_put(&t->given, kept) : NULL;
	if (!slot)
		return no_memory(err);
	*slot = t;
	return 1;
}

static uint64_t limit_of(const struct image_tree *t, int fd)
{
	const struct image_visitor *v = t->visitor;
	uint8_t head[HEAD_BYTES];
	uint64_t limit = v->wants(v->ctx, path_of(t));
	if (limit || !v->wants_content || t->hops)
		return limit;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	return n > 0 ? v->wants_content(v->ctx, path_of(t), (struct bh_slice){ head, (size_t)n }) : 0;
}

/* 1: *ret filled, 0: not one to give, negative. Takes fd. by_link: a file that was given under its own name is not given again. */
static int give(struct image_tree *t, int fd, bool by_link, struct image_tree_file *ret, struct bh_err *err)
{
	struct stat st;
	BH_CLOSE int own = fd;
	if (fstat(fd, &st) < 0) {
		complain(t, "file", path_of(t), errno);
		return 0;
	}
	uint64_t limit = S_ISREG(st.st_mode) ? limit_of(t, fd) : 0;
	if (limit == 0 && !(S_ISREG(st.st_mode) && is_file_watched(t)))
		return 0;
	int fresh = remember(t, &st, err);
	if (fresh < 0 || (fresh == 0 && by_link))
		return fresh;
	*ret = (struct image_tree_file){ BH_TAKE_FD(own), { 0 }, path_of(t), (uint64_t)st.st_size, limit, st.st_mode & 07777, st.st_uid, st.st_gid };
	return 1;
}

static int wait_link(struct image_tree *t, struct bh_err *err)
{
	struct waiting w = { .hops = t->hops + 1 };
	if (w.hops > 8) /* folders linked into each other */
		return 0;
	if (!bh_arena_copy(&t->arena, path_of(t), &w.path))
		return no_memory(err);
	if (!waiting_vec_push(&t->links, w))
		bh_report_incomplete(t->report, "link", w.path, BH_NO_LAYER, "more than %u links; this and later ones were not followed", LINKS_MAX);
	return 0;
}

/* 1: *ret filled with a link or folder for whoever watches. */
static int show(struct image_tree *t, const struct name *n, struct image_tree_file *ret)
{
	int dir_fd = t->levels[t->depth - 1].fd;
	struct stat st;
	if (!is_watched(t) || t->shown || n->type == DT_REG || fstatat(dir_fd, n->text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	ssize_t len = n->type == DT_LNK ? readlinkat(dir_fd, n->text, t->link, sizeof(t->link)) : 0;
	if (len < 0 || (n->type == DT_LNK && len == 0))
		return 0;
	*ret = (struct image_tree_file){ -1, { (const uint8_t *)t->link, (size_t)len }, path_of(t), 0, 0, st.st_mode & 07777, st.st_uid, st.st_gid };
	return 1;
}

/* Only links behind which wanted files may lie are followed; that one is watched makes none wanted. */
static bool is_followed(const struct image_tree *t)
{
	const struct image_visitor *v = t->visitor;
	return v->wants(v->ctx, path_of(t)) != 0 || v->wants_below(v->ctx, path_of(t));
}

static int step(struct image_tree *t, const struct name *n, struct image_tree_file *ret, struct bh_err *err)
{
	int dir_fd = t->levels[t->depth - 1].fd;
	if (n->type == DT_LNK)
		return is_followed(t) ? wait_link(t, err) : 0;
	bool folder = n->type == DT_DIR;
	/* O_NONBLOCK: should a FIFO have taken the file's place meanwhile, opening it does not wait. */
	int fd = openat(dir_fd, n->text, (folder ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY) | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ELOOP)
			complain(t, folder ? "directory" : "file", path_of(t), errno);
		return 0;
	}
	return folder ? enter(t, fd, err) : give(t, fd, t->hops > 0, ret, err);
}

static int step_link(struct image_tree *t, const struct waiting *w, struct image_tree_file *ret, struct bh_err *err)
{
	memcpy(t->path, w->path.ptr, w->path.len);
	t->path_len = w->path.len;
	t->hops = w->hops;
	struct stat st;
	/* O_PATH first: what the link leads to may be a device. */
	BH_CLOSE int at = open_in_root(t, w->path, O_PATH);
	if (at < 0 || fstat(at, &st) < 0) {
		if (errno != ELOOP)
			complain(t, "link", w->path, errno);
		return 0;
	}
	bool folder = S_ISDIR(st.st_mode);
	if (!folder && !S_ISREG(st.st_mode))
		return 0;
	int fd = open_in_root(t, w->path, (folder ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY) | O_RDONLY);
	if (fd < 0) {
		complain(t, "link", w->path, errno);
		return 0;
	}
	return folder ? enter(t, fd, err) : give(t, fd, true, ret, err);
}

static int start(struct image_tree *t, struct bh_err *err)
{
	t->started = true;
	int fd = openat(t->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "the directory");
	return enter(t, fd, err);
}

static void summarise(struct image_tree *t)
{
	if (t->complaints > COMPLAINTS_MAX)
		bh_report_incomplete(t->report, "directory", (struct bh_slice){ 0 }, BH_NO_LAYER, "%ju more files and directories could not be read",
				     (uintmax_t)(t->complaints - COMPLAINTS_MAX));
	t->complaints = 0;
}

int image_tree_next(struct image_tree *t, struct image_tree_file *ret, struct bh_err *err)
{
	int rc = t->started ? 0 : start(t, err);
	while (rc == 0) {
		if (bh_interrupted())
			return bh_fail(err, BH_ECANCELLED, 0, "cancelled");
		if (t->depth == 0) {
			if (t->next_link == t->links.len) {
				summarise(t);
				return 0;
			}
			struct waiting w = t->links.ptr[t->next_link++];
			rc = step_link(t, &w, ret, err);
			continue;
		}
		struct level *l = &t->levels[t->depth - 1];
		t->path_len = l->path_len;
		if (l->at == l->names.len) {
			close_level(l);
			t->depth--;
			continue;
		}
		const struct name *n = &l->names.ptr[l->at];
		bool fits = push_path(t, n->text);
		if (fits && show(t, n, ret) == 1) {
			t->shown = true;
			return 1;
		}
		t->shown = false;
		l->at++;
		if (fits)
			rc = step(t, n, ret, err);
	}
	return rc;
}
