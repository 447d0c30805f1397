/*
 * inputs.h: the files that an import reads: what the user named, folders with everything in them. The parent's side: it opens
 * them one by one and hands descriptors to the sandboxed child.
 */
#ifndef BH_VULN_INPUTS_H
#define BH_VULN_INPUTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

struct vuln_input {
	const char *name;  /* for people: path as the user would write it, "standard input" */
	const char *below; /* path below its folder; NULL when the user named the file itself */
	int folder;        /* index into folders */
};
BH_VEC(vuln_input_vec, struct vuln_input)
BH_VEC(vuln_folder_vec, int)

struct vuln_inputs {
	struct bh_arena arena;
	struct vuln_input_vec files;
	struct vuln_folder_vec folders; /* descriptors */
	uint64_t total_bytes;           /* of regular files; 0 when something else is among them */
	uint64_t skipped;               /* files in folders whose names say that they are nothing for us */
	const char *skipped_example;
	uint64_t links;                 /* symbolic links and special files in folders: not followed */
	bool alone;                     /* one file, named by the user */
};

/* suffixes: of the names taken from folders; compressed ones (".json.gz") and archives come with them. */
int vuln_inputs_new(const char *const *paths, size_t n, const char *const *suffixes, struct vuln_inputs **ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_inputs_free(struct vuln_inputs *in);

struct vuln_opened {
	int fd;
	bool owned; /* close it; standard input stays open */
	uint64_t size_bytes;
	int64_t mtime_s;
};
int vuln_inputs_open(const struct vuln_inputs *in, size_t index, struct vuln_opened *ret, struct bh_err *err) BH_MUST_CHECK;

/* Does this name end with one of the suffixes, plain or compressed? */
bool vuln_input_wanted(struct bh_slice name, const char *const *suffixes);

#endif
