/*
 * targets.c: see targets.h. images:DIR is every archive (by the end of its name) and every OCI layout in the folder and in folders
 * below it, in the order of their names; a layout of several images is one target for each name that its index.json gives.
 */
#include "cmd/targets.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "image/names.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16u << 20)
#define ARENA_BYTES_MAX (256u << 20)
#define FOLDERS_DEEP 16u

static const struct bh_slice scheme = { (const uint8_t *)"images:", 7 };

bool cmd_is_fleet(const struct cmd_args *args)
{
	const char *const *words;
	size_t n = cmd_targets(args, &words);
	return n > 1 || cmd_string(args, "targets-file") || (n == 1 && bh_slice_starts(bh_slice_str(words[0]), scheme));
}

static int add(struct cmd_target_list *l, const char *text, struct bh_err *err)
{
	if (!text)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return target_vec_push(&l->all, text) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %u targets", TARGETS_MAX);
}

/* ---- images:DIR ---- */

static bool is_archive_name(struct bh_slice name)
{
	static const char *const ends[] = { ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2" };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bh_slice_ends(name, bh_slice_str(ends[i])))
			return true;
	return false;
}

static bool is_layout(const char *folder)
{
	char path[4200];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/oci-layout", folder);
	return n < (int)sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct layout_names {
	struct cmd_target_list *list;
	const char *folder;
};

static int add_layout_image(void *ctx, struct bh_slice name, struct bh_err *err)
{
	const struct layout_names *l = ctx;
	return add(l->list, bh_arena_printf(&l->list->arena, "oci:%s:%.*s", l->folder, BH_SLICE_FMT(name)), err);
}

/* A layout whose index can't be read is a target all the same: the scan says what is wrong with it. */
static int add_layout(struct cmd_target_list *l, const char *folder, struct bh_err *err)
{
	struct layout_names names = { l, folder };
	size_t before = l->all.len;
	struct bh_err why = { 0 };
	int rc = image_layout_names(folder, add_layout_image, &names, &why);
	if (rc == BH_ENOMEM || rc == BH_ELIMIT || rc == BH_ECANCELLED) {
		*err = why;
		return rc;
	}
	return l->all.len > before ? 0 : add(l, bh_arena_printf(&l->arena, "oci:%s", folder), err);
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct cmd_target_list *l, const char *folder, unsigned depth, struct bh_err *err);

static int add_entry(struct cmd_target_list *l, const char *folder, const char *name, unsigned depth, struct bh_err *err)
{
	struct stat st;
	const char *path = bh_arena_printf(&l->arena, "%s/%s", folder, name);
	if (!path)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (lstat(path, &st) < 0 || S_ISLNK(st.st_mode))
		return 0; /* a link to an image would count it twice, one to a folder may lead around in a circle */
	if (S_ISDIR(st.st_mode))
		return is_layout(path) ? add_layout(l, path, err) : depth ? add_folder(l, path, depth - 1, err) : 0;
	bool archive = S_ISREG(st.st_mode) && is_archive_name(bh_slice_str(name));
	return archive ? add(l, bh_arena_printf(&l->arena, "archive:%s", path), err) : 0;
}

static int add_folder(struct cmd_target_list *l, const char *folder, unsigned depth, struct bh_err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, not_hidden, by_name), rc = 0;
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return bh_fail(err, BH_ENOTFOUND, 0, "images:%s: no such folder", folder);
	if (n < 0)
		return bh_fail_errno(err, errno, "images:%s", folder);
	for (int i = 0; i < n; i++) {
		rc = rc < 0 ? rc : add_entry(l, folder, entries[i]->d_name, depth, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int add_images(struct cmd_target_list *l, const char *folder, struct bh_err *err)
{
	size_t before = l->all.len;
	int rc = is_layout(folder) ? add_layout(l, folder, err) : add_folder(l, folder, FOLDERS_DEEP, err);
	if (rc == 0 && l->all.len == before)
		return bh_fail(err, BH_ENOTFOUND, 0, "images:%s: neither archives (*.tar, *.tar.gz, *.tgz, *.tar.zst ...) nor OCI layouts in there", folder);
	return rc;
}

static int add_word(struct cmd_target_list *l, const char *word, struct bh_err *err)
{
	return bh_slice_starts(bh_slice_str(word), scheme) ? add_images(l, word + scheme.len, err) : add(l, word, err);
}

/* ---- --targets-file ---- */

static int read_lines(const char *path, struct bh_buf *out, struct bh_err *err)
{
	if (strcmp(path, "-") != 0)
		return bh_read_file(path, FILE_BYTES_MAX, out, err);
	int rc = bh_read_all(STDIN_FILENO, FILE_BYTES_MAX, out, err);
	return rc < 0 ? bh_wrap(err, "standard input") : 0;
}

/* One target a line; empty lines and those that begin with # don't count. */
static int add_lines(struct cmd_target_list *l, const char *path, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = read_lines(path, &text, err);
	struct bh_slice rest = bh_buf_slice(&text), line;
	while (rc == 0 && rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		const char *word = bh_arena_strdup(&l->arena, line);
		rc = word ? add_word(l, word, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return rc;
}

int cmd_target_list(const struct cmd_args *args, struct cmd_target_list *ret, struct bh_err *err)
{
	const char *const *words, *file = cmd_string(args, "targets-file");
	size_t n = cmd_targets(args, &words);
	ret->all = (struct target_vec){ .max = TARGETS_MAX };
	bh_arena_init(&ret->arena, ARENA_BYTES_MAX);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_word(ret, words[i], err);
	rc = rc == 0 && file ? add_lines(ret, file, err) : rc;
	if (rc == 0 && ret->all.len == 0)
		rc = bh_fail(err, BH_EUSAGE, 0, "%s names no target", file ? file : "the command line");
	if (rc < 0)
		cmd_target_list_done(ret);
	return rc;
}

void cmd_target_list_done(struct cmd_target_list *l)
{
	target_vec_done(&l->all);
	bh_arena_done(&l->arena);
}
