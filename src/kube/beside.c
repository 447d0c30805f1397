/* beside.c: see beside.h. A folder is listed through descriptors, so that a link that is put into it meanwhile leads nowhere. */
#include "kube/beside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "kube/intake.h"
#include "model/wire.h"
#include "sys/files.h"

#define NAMES_BYTES_MAX (64u << 20)
#define ROOTS_MAX 200000u
#define DEPTH_MAX 48u
#define SUFFIXES_BYTES_MAX 512u

enum answer { ANSWER_NO, ANSWER_FILE, ANSWER_FOLDER };
enum next_answer { NEXT_END, NEXT_FILE, NEXT_UNREADABLE };

/* ---- paths ---- */

/* Takes "." and ".." out of an absolute path, as it stands there: "/" stays above itself. */
static void plain_path(char *path)
{
	size_t out = 0;
	for (const char *at = path; *at;) {
		size_t skip = strspn(at, "/"), len = strcspn(at + skip, "/");
		const char *name = at + skip;
		at = name + len;
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			while (out > 0 && path[--out] != '/')
				;
			continue;
		}
		path[out++] = '/';
		memmove(path + out, name, len);
		out += len;
	}
	if (out == 0)
		path[out++] = '/';
	path[out] = '\0';
}

/* NULL: no memory, or the working folder is gone. */
static char *absolute(struct bh_arena *arena, const char *path)
{
	char here[BH_PATH_BYTES_MAX];
	if (path[0] != '/' && !getcwd(here, sizeof(here)))
		return NULL;
	char *whole = path[0] == '/' ? bh_arena_printf(arena, "%s", path) : bh_arena_printf(arena, "%s/%s", here, path);
	if (whole)
		plain_path(whole);
	return whole;
}

/* "a/b" of "a/b/c", "." of "c". */
static char *folder_of(struct bh_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? bh_arena_printf(arena, "%.*s/", (int)(slash - path), path) : bh_arena_printf(arena, ".");
}

/* What is left of a path below a root; NULL: it is not below it. */
static const char *below(const char *root, const char *path)
{
	size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(root, path, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path[len] && path[len + 1] ? path + len + 1 : ".";
}

void beside_init(struct beside *b)
{
	*b = (struct beside){ .roots = { .max = ROOTS_MAX }, .files = { .max = BESIDE_FILES_MAX }, .folder_fd = -1 };
	bh_arena_init(&b->names, NAMES_BYTES_MAX);
	bh_arena_init(&b->folder_names, NAMES_BYTES_MAX);
}

static void leave_folder(struct beside *b)
{
	if (b->folder_fd >= 0)
		(void)close(b->folder_fd);
	b->folder_fd = -1;
	b->files.len = b->next = 0;
	b->links = b->unreadable = 0;
	b->is_cut = false;
	bh_arena_clear(&b->folder_names);
}

void beside_done(struct beside *b)
{
	leave_folder(b);
	beside_names_done(&b->roots);
	beside_names_done(&b->files);
	bh_arena_done(&b->names);
	bh_arena_done(&b->folder_names);
}

int beside_add_root(struct beside *b, const char *path, struct bh_err *err)
{
	struct stat st;
	if (strcmp(path, "-") == 0 || kube_is_live(bh_slice_str(path)) || stat(path, &st) < 0)
		return 0;
	const char *folder = S_ISDIR(st.st_mode) ? path : folder_of(&b->names, path), *whole = folder ? absolute(&b->names, folder) : NULL;
	for (size_t i = 0; whole && i < b->roots.len; i++)
		if (strcmp(b->roots.ptr[i], whole) == 0)
			return 0;
	return whole && beside_names_push(&b->roots, whole) ? 0 : bh_fail(err, BH_ELIMIT, 0, "out of memory for the names of folders");
}

/* ---- listing ---- */

struct listing {
	struct beside *b;
	struct bh_slice suffixes; /* of the names that are wanted: ".py .js" */
};

static bool is_wanted(const struct listing *l, struct bh_slice path)
{
	struct bh_slice rest = l->suffixes, suffix;
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &suffix, &rest);
		if (bh_slice_ends(path, suffix))
			return true;
	}
	return false;
}

static int list_folder(struct listing *l, int fd, const char *path, unsigned depth, struct bh_err *err);

static int visit(struct listing *l, int fd, const char *path, const char *name, unsigned depth, struct bh_err *err)
{
	struct beside *b = l->b;
	struct stat st;
	if (name[0] == '.') /* ".", "..", and .git and its like, which nobody deploys */
		return 0;
	const char *whole = bh_arena_printf(&b->folder_names, "%s%s%s", path, path[0] ? "/" : "", name);
	if (!whole)
		return bh_fail(err, BH_ELIMIT, 0, "out of memory for the names of files");
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		b->unreadable++;
	} else if (S_ISLNK(st.st_mode)) {
		b->links++;
	} else if (S_ISREG(st.st_mode) && is_wanted(l, bh_slice_str(whole))) {
		b->is_cut |= !beside_names_push(&b->files, whole);
	} else if (S_ISDIR(st.st_mode)) {
		int inner = depth < DEPTH_MAX ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		if (inner >= 0)
			return list_folder(l, inner, whole, depth + 1, err);
		b->unreadable++;
	}
	return 0;
}

/* Takes the descriptor. */
static int list_folder(struct listing *l, int fd, const char *path, unsigned depth, struct bh_err *err)
{
	DIR *dir = fdopendir(fd);
	int rc = 0;
	if (!dir) {
		(void)close(fd);
		l->b->unreadable++;
		return 0;
	}
	for (const struct dirent *e; rc == 0 && !l->b->is_cut && (e = readdir(dir));)
		rc = visit(l, fd, path, e->d_name, depth, err);
	(void)closedir(dir);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int enter_folder(struct beside *b, int root_fd, const char *path, struct bh_slice suffixes, struct bh_err *err)
{
	struct listing l = { b, suffixes };
	int fd;
	int rc = bh_open_folder_in_root(root_fd, path, &b->folder_fd, err);
	if (rc < 0)
		return rc;
	fd = fcntl(b->folder_fd, F_DUPFD_CLOEXEC, 0);
	rc = fd < 0 ? bh_fail_errno(err, errno, "%s", path) : list_folder(&l, fd, "", 0, err);
	if (b->files.len)
		qsort(b->files.ptr, b->files.len, sizeof(*b->files.ptr), by_name);
	return rc;
}

/* ---- requests ---- */

static int refuse(struct bh_child_reply *reply, const char *why)
{
	bh_wire_put_u8(reply->payload, ANSWER_NO);
	bh_wire_put_slice(reply->payload, bh_slice_str(why));
	return 0;
}

static int open_below(struct beside *b, const char *root, const char *path, struct bh_slice suffixes, struct bh_child_reply *reply, struct bh_err *err)
{
	struct stat st;
	struct bh_err why = { 0 };
	BH_CLOSE int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return refuse(reply, "its folder can't be opened");
	int rc = bh_stat_in_root(root_fd, path, &st, &why);
	bool is_folder = rc == 0 && S_ISDIR(st.st_mode);
	if (rc == 0)
		rc = is_folder ? enter_folder(b, root_fd, path, suffixes, &why) : bh_open_in_root(root_fd, path, &reply->fd, &why);
	if (rc == BH_ELIMIT)
		return bh_fail(err, rc, 0, "%s", why.text);
	if (rc < 0)
		return refuse(reply, rc == BH_ENOTFOUND ? "it is not there" : why.text);
	reply->close_fd = !is_folder;
	bh_wire_put_u8(reply->payload, is_folder ? ANSWER_FOLDER : ANSWER_FILE);
	bh_wire_put_slice(reply->payload, bh_slice_str(""));
	return 0;
}

int beside_open(struct beside *b, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice file, path, suffixes;
	if (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &file) || !bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &path)
	    || !bh_wire_get_slice(&r, SUFFIXES_BYTES_MAX, &suffixes))
		return bh_fail(err, BH_ECHILD, 0, "a request that is none");
	leave_folder(b);
	if (memchr(file.ptr, 0, file.len) || memchr(path.ptr, 0, path.len))
		return refuse(reply, "a path with a zero byte");
	struct bh_arena *arena = &b->folder_names;
	const char *of = bh_arena_strdup(arena, file), *named = bh_arena_strdup(arena, path), *folder = of ? folder_of(arena, of) : NULL;
	const char *joined = !folder || !named ? NULL : named[0] == '/' ? named : bh_arena_printf(arena, "%s/%s", folder, named);
	const char *whole = joined ? absolute(arena, joined) : NULL;
	if (!whole)
		return bh_fail(err, BH_ELIMIT, 0, "out of memory for the names of files");
	for (size_t i = 0; i < b->roots.len; i++) {
		const char *rest = below(b->roots.ptr[i], whole);
		if (rest)
			return open_below(b, b->roots.ptr[i], rest, suffixes, reply, err);
	}
	return refuse(reply, "it lies outside of the folder of the file, and of those that were named on the command line");
}

int beside_next(struct beside *b, struct bh_child_reply *reply, struct bh_err *err)
{
	struct bh_err why = { 0 };
	(void)err;
	if (b->next == b->files.len) {
		bh_wire_put_u8(reply->payload, NEXT_END);
		bh_wire_put_u64(reply->payload, b->links);
		bh_wire_put_u64(reply->payload, b->unreadable);
		bh_wire_put_u8(reply->payload, b->is_cut);
		leave_folder(b);
		return 0;
	}
	const char *name = b->files.ptr[b->next++];
	bool opened = bh_open_beneath(b->folder_fd, name, &reply->fd, &why) == 0;
	reply->close_fd = opened;
	bh_wire_put_u8(reply->payload, opened ? NEXT_FILE : NEXT_UNREADABLE);
	bh_wire_put_slice(reply->payload, bh_slice_str(name));
	return 0;
}

/* ---- the child's side ---- */

static int ask_open(void *ctx, struct bh_slice file, struct bh_slice path, const char *suffixes, struct kube_opened *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf request = { 0 }, reply = { 0 };
	BH_CLOSE int fd = -1;
	uint8_t answer;
	struct bh_slice why;
	bh_buf_init(&request, BH_PATH_BYTES_MAX * 3);
	bh_buf_init(&reply, BH_PATH_BYTES_MAX * 2);
	if (path.len > BH_PATH_BYTES_MAX || file.len > BH_PATH_BYTES_MAX)
		return bh_fail(err, BH_ENOTFOUND, 0, "a path of more than %u bytes", BH_PATH_BYTES_MAX);
	bh_wire_put_slice(&request, file);
	bh_wire_put_slice(&request, path);
	bh_wire_put_slice(&request, bh_slice_str(suffixes));
	int rc = bh_channel_call(ctx, INTAKE_ASK_BESIDE, bh_buf_slice(&request), &reply, &fd, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	if (!bh_take_u8(&r, &answer) || !bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &why) || (answer == ANSWER_FILE && fd < 0))
		return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	if (answer == ANSWER_NO)
		return bh_fail(err, BH_ENOTFOUND, 0, "%.*s", BH_SLICE_FMT(why));
	*ret = (struct kube_opened){ .is_folder = answer == ANSWER_FOLDER, .fd = BH_TAKE_FD(fd) };
	return 0;
}

static int ask_next(void *ctx, struct kube_opened_file *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	BH_CLOSE int fd = -1;
	uint8_t answer, is_cut = 0;
	struct bh_slice name;
	bh_buf_init(&reply, BH_PATH_BYTES_MAX * 2);
	int rc = bh_channel_call(ctx, INTAKE_ASK_BESIDE_NEXT, (struct bh_slice){ 0 }, &reply, &fd, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	struct kube_opened_file f = { .fd = -1 };
	if (!bh_take_u8(&r, &answer))
		return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	if (answer == NEXT_END) {
		if (!bh_take_u64le(&r, &f.links) || !bh_take_u64le(&r, &f.unreadable) || !bh_take_u8(&r, &is_cut))
			return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
		f.is_cut = is_cut;
		*ret = f;
		return 0;
	}
	if (!bh_wire_get_slice(&r, sizeof(f.name), &name) || name.len >= sizeof(f.name))
		return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	memcpy(f.name, name.ptr, name.len);
	f.name_len = name.len;
	*ret = f;
	ret->fd = BH_TAKE_FD(fd);
	return 1;
}

struct kube_opener beside_opener(struct bh_channel *channel)
{
	return (struct kube_opener){ ask_open, ask_next, channel };
}
