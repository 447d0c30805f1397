/* rule_files.h: files of rules by their paths: a file, a folder whose *.yaml and *.yml are taken in the order of their names, or - for standard input. */
#ifndef BH_GUARD_RULE_FILES_H
#define BH_GUARD_RULE_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "sys/files.h"

#define GUARD_FILES_MAX 10000u

struct guard_rule_file {
	const char *name;
	struct bh_slice text;
};

BH_VEC(guard_rule_file_vec, struct guard_rule_file)

struct guard_rule_files {
	struct bh_arena arena;
	struct bh_path_vec paths;
	struct guard_rule_file_vec files; /* in the order in which they count */
};

void guard_rule_files_init(struct guard_rule_files *f);
void guard_rule_files_done(struct guard_rule_files *f);

/* Those of rules/runtime/, which are in the program. */
int guard_rule_files_add_own(struct guard_rule_files *f, struct bh_err *err) BH_MUST_CHECK;

/* BH_ENOTFOUND: a path, or a file in a folder, is not there. */
int guard_rule_files_read(struct guard_rule_files *f, const char *const *paths, size_t n, struct bh_err *err) BH_MUST_CHECK;

#endif
