/* rule_files.c: see rule_files.h. */
#include "guard/rule_files.h"

#include "base/cleanup.h"
#include "guard/own_rules.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (512u << 20) /* of recorded events; rules are smaller */
#define ALL_BYTES_MAX (576u << 20)

void guard_rule_files_init(struct guard_rule_files *f)
{
	*f = (struct guard_rule_files){ .paths = { .max = GUARD_FILES_MAX }, .files = { .max = GUARD_FILES_MAX } };
	bh_arena_init(&f->arena, ALL_BYTES_MAX);
}

void guard_rule_files_done(struct guard_rule_files *f)
{
	bh_path_vec_done(&f->paths);
	guard_rule_file_vec_done(&f->files);
	bh_arena_done(&f->arena);
}

static int too_many(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u files of rules, or too large ones", GUARD_FILES_MAX);
}

static bool is_rules(const char *name)
{
	struct bh_slice s = bh_slice_str(name);
	return name[0] != '.' && (bh_slice_ends(s, BH_SLICE_LIT(".yaml")) || bh_slice_ends(s, BH_SLICE_LIT(".yml")));
}

static int list_folder(struct guard_rule_files *f, const char *path, struct bh_err *err)
{
	int rc = bh_list_folder(path, is_rules, &f->arena, &f->paths, err);
	return rc == BH_ENOTFOUND ? bh_fail(err, BH_ENOTFOUND, 0, "%s: no file in this folder is called *.yaml or *.yml", path) : rc;
}

static int list_path(struct guard_rule_files *f, const char *path, struct bh_err *err)
{
	struct stat st;
	bool is_stdin = strcmp(path, "-") == 0;
	if (!is_stdin && stat(path, &st) < 0) {
		(void)bh_fail_errno(err, errno, "%s", path);
		err->code = BH_ENOTFOUND; /* a wrong word of the command line */
		return BH_ENOTFOUND;
	}
	if (!is_stdin && S_ISDIR(st.st_mode))
		return list_folder(f, path, err);
	return bh_path_vec_push(&f->paths, path) ? 0 : too_many(err);
}

static int read_path(struct guard_rule_files *f, const char *path, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct guard_rule_file file = { .name = strcmp(path, "-") == 0 ? "standard input" : path };
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = strcmp(path, "-") == 0 ? bh_read_all(STDIN_FILENO, FILE_BYTES_MAX, &text, err) : bh_read_file(path, FILE_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	return bh_arena_copy(&f->arena, bh_buf_slice(&text), &file.text) && guard_rule_file_vec_push(&f->files, file) ? 0 : too_many(err);
}

int guard_rule_files_add_own(struct guard_rule_files *f, struct bh_err *err)
{
	for (size_t i = 0; i < guard_own_rules_count; i++)
		if (!guard_rule_file_vec_push(&f->files, (struct guard_rule_file){ guard_own_rules[i].file, bh_slice_str(guard_own_rules[i].text) }))
			return too_many(err);
	return 0;
}

int guard_rule_files_read(struct guard_rule_files *f, const char *const *paths, size_t n, struct bh_err *err)
{
	int rc = 0;
	size_t before = f->paths.len;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = list_path(f, paths[i], err);
	for (size_t i = before; rc == 0 && i < f->paths.len; i++)
		rc = read_path(f, f->paths.ptr[i], err);
	return rc;
}
