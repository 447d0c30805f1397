/*
 * ranges.h: the ways in which package managers write "these versions": "^1.2 || 3.x" (npm), "~> 1.2, != 1.2.3" (RubyGems), "[1.0,2.0)" (Maven) ...
 * One syntax is one file and one line in ranges.def.
 *
 * A range is parsed into bounds over the ecosystem's order: alternatives, in each of which all bounds must hold.
 *
 *     ^1.2 || 3.x   ->   >=1.2.0 <2.0.0-0   or   >=3.0.0 <4.0.0-0
 *
 *     struct version_range range;
 *     rc = version_range_parse(version_ranges_find(BH_SLICE_LIT("npm")), text, &arena, &range, err);
 *     rc = version_range_contains(&range, version, &yes, err);
 */
#ifndef BH_VERSION_RANGES_H
#define BH_VERSION_RANGES_H

#include "base/arena.h"
#include "version/version.h"

#define VERSION_RANGE_BYTES_MAX 4096u  /* of the text; real ones have below 200 */
#define VERSION_RANGE_BOUNDS_MAX 1024u

enum version_op { VERSION_ANY, VERSION_NONE, VERSION_EQ, VERSION_NE, VERSION_LT, VERSION_LE, VERSION_GT, VERSION_GE };

struct version_bound {
	enum version_op op;
	struct bh_slice version; /* empty for ANY and NONE */
	bool first;              /* begins an alternative */
	unsigned own;            /* flags of the syntax, for its own holds() and admits() */
};

struct version_range {
	const struct version_range_syntax *syntax;
	const struct version_scheme *scheme;
	struct bh_arena *arena;  /* of the bounds */
	struct version_bound *bounds;
	size_t n, room;
	bool next_is_first;
};

struct version_range_syntax {
	const char *name;   /* "npm" */
	const char *scheme; /* in schemes.def */
	int (*parse)(struct bh_slice text, struct version_range *ret, struct bh_err *err);
	/* Is version on the right side of b? NULL: the scheme's order tells. */
	bool (*holds)(const struct version_range *r, const struct version_bound *b, struct bh_slice version);
	/* May version be meant by an alternative at all, bounds[0, n)? npm and Cargo keep pre-releases out. NULL: yes. */
	bool (*admits)(const struct version_bound *bounds, size_t n, struct bh_slice version);
};

extern const struct version_range_syntax *const version_ranges[]; /* NULL-terminated */

const struct version_range_syntax *version_ranges_find(struct bh_slice name); /* NULL when unknown */

/* BH_EMALFORMED where the ecosystem's tool refuses the text, BH_ELIMIT beyond the limits above. The range lives in the arena and in text. */
int version_range_parse(const struct version_range_syntax *syntax, struct bh_slice text, struct bh_arena *arena, struct version_range *ret,
			struct bh_err *err) BH_MUST_CHECK;

/* BH_EMALFORMED when version is not valid in the syntax's scheme. */
int version_range_contains(const struct version_range *range, struct bh_slice version, bool *ret, struct bh_err *err) BH_MUST_CHECK;

/* ---- as intervals ---- */

/* Versions between two ends; an empty end is open. */
struct version_interval {
	struct bh_slice low, high;
	bool low_excluded, high_excluded; /* the end itself is not in it */
};

/*
 * The range as a sorted list of intervals that don't touch. Rules that no interval can express (admits(), bounds with flags of
 * their own) are taken as the order has it. The result lives in the range's arena.
 */
int version_range_intervals(const struct version_range *range, struct version_interval **ret, size_t *n, struct bh_err *err) BH_MUST_CHECK;

/* What is in none of them. Sorted lists in, sorted list out; room for n + 1 in *ret. */
size_t version_intervals_complement(const struct version_interval *in, size_t n, struct version_interval *ret);

/* The union of any intervals: sorts and merges in place, returns how many are left. */
size_t version_intervals_merge(const struct version_scheme *scheme, struct version_interval *all, size_t n);

/* ---- for syntaxes ---- */

/* False: too many. The first bound of the range, and the first one after version_range_or, begins an alternative. */
bool version_range_add(struct version_range *r, enum version_op op, struct bh_slice version, unsigned own);
void version_range_or(struct version_range *r);

/* digits + 1, in the range's arena; empty when that is full. */
struct bh_slice version_range_plus_one(struct version_range *r, struct bh_slice digits);

/* Takes one of the operators (longest first; NULL-terminated) and the blanks around it. Returns its place, -1 for none. */
int version_range_take_op(struct bh_slice *text, const char *const *ops);

/* order: how a version stands to the bound's. */
bool version_op_holds(enum version_op op, int order);

int version_range_refuse(const struct version_range *r, struct bh_slice text, struct bh_err *err);

#endif
