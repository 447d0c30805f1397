/* numbering.h: from a version of a source package to the version of one of its binary packages. */
#ifndef BH_VULN_NUMBERING_H
#define BH_VULN_NUMBERING_H

#include "base/arena.h"
#include "model/package.h"
#include "vuln/set.h"

struct vuln_numbering {
	const struct vuln_set *set;
	struct bh_slice ecosystem;
	const struct bh_package *package;
	struct bh_slice source, source_version; /* of the installed package, as it was matched */
	struct bh_arena *arena; /* for versions that have to be made */
	/* Entries of the table about the package, looked up once. */
	bool looked_up;
	const struct vuln_db *table_db;
	struct vuln_span entries;
};

/*
 * `source_version` as `package` is numbered. `newest`: it is the newest version of the source, for which the table knows every
 * binary package that differs. *ret is empty when the number can't be known.
 */
int vuln_number(struct vuln_numbering *n, struct bh_slice source_version, bool newest, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * Signed kernels are built from a source of their own ("linux-signed-amd64" 6.1.76+1) that repackages "linux" 6.1.76-1, which is
 * what most advisories speak of. True with name and version of the latter.
 */
bool vuln_unsigned(const struct bh_package *package, struct bh_arena *arena, struct bh_slice *ret_name, struct bh_slice *ret_version);

/* A version of the signing source as its kernel has it: "6.1.76+1" -> "6.1.76-1". Empty when the arena is full. */
struct bh_slice vuln_unsigned_version(struct bh_slice version, struct bh_arena *arena);

/* Key of the table "binary-version"; its values are "SOURCE_VERSION<tab>BINARY_VERSION". */
#define VULN_BINARY_VERSION_KEY "%.*s\t%.*s\t%.*s" /* ecosystem, source, binary */

#endif
