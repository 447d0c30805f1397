/*
 * reach.h: from the programs that an image starts to the system calls that can come of it.
 *
 *   entry point, scripts' interpreters and words, programs that programs name  ─► programs
 *   DT_NEEDED by the loader's rules, NSS modules, plug-ins                       ─► libraries
 *   graphs of all of them joined by the names of their symbols                   ─► what is reachable ─► numbers
 *
 * One graph for the whole container: a profile holds for every process of it. A name that two libraries define leads to both.
 */
#ifndef BH_HARDEN_REACH_H
#define BH_HARDEN_REACH_H

#include "harden/gather.h"

#define REACH_NUMBERS 1024u /* of system calls; Linux has about 460 */

/* A file that takes part, and why: "the image's entry point", "needed by usr/sbin/nginx". */
struct reach_part {
	struct gather_file *file;
	struct bh_slice why;
	struct bh_slice name; /* of a program: as it is called, which a link may lead to the file */
	bool program;
};

struct reach_open {
	const struct gather_file *file;
	uint64_t address;
};

BH_VEC(reach_part_vec, struct reach_part)
BH_VEC(reach_open_vec, struct reach_open)

struct reach {
	const struct gather *gather;
	struct bh_arena arena;
	enum binary_machine machine;           /* of the first program */
	struct reach_part_vec parts;           /* in the order they were found */
	const struct gather_file *by[REACH_NUMBERS]; /* who brings a number; NULL: nobody */
	struct reach_open_vec opens;           /* calls whose number is not known */
	struct gather_vec known;               /* libraries with such calls of which known.def tells them; some several times */
	struct binary_name_vec notes;          /* what was assumed, and what could not be looked at */
	struct binary_name_vec uses;           /* names of functions of the C library that are reachable from outside of it, sorted */
	/* private */
	struct bh_map part_of;
	struct binary_name_vec path, library_path; /* folders that programs and libraries are looked for in */
	size_t scripts_seen;
	bool failed;
};

void reach_init(struct reach *r, const struct gather *g);
void reach_done(struct reach *r);

/* The folders of PATH and LD_LIBRARY_PATH. Before programs. NULL: the usual ones. */
void reach_set_paths(struct reach *r, struct bh_slice path, struct bh_slice library_path);

/* A program by its name or path. False: there is no such file (or it is no program), and nothing was added. */
bool reach_add_program(struct reach *r, struct bh_slice name, struct bh_slice folder, const char *why);

/* Words of a command line for a shell: those that are programs. */
void reach_add_words(struct reach *r, const struct binary_name_vec *words, struct bh_slice folder, const char *why);

/* What known.def says of a library; NULL: nothing. */
const char *reach_known(const struct gather_file *f);

int reach_solve(struct reach *r, struct bh_err *err) BH_MUST_CHECK;

/* Can this file run, be loaded, or be read as a script? path: as the gathered file has it. */
bool reach_has(const struct reach *r, struct bh_slice path);

/* Is the C library's function (or any other of that name) called by anything that can run? */
bool reach_uses(const struct reach *r, const char *function);

#endif
