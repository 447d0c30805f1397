/*
 * cel.h: the Common Expression Language: environment, program, run. A library of its own: nothing here knows of Kubernetes or of Bulkhead's
 * policies, and it needs no more than src/base, RE2 (format/regex.h) and zone files (sys/files.h).
 *
 *     struct cel_env *env;
 *     unsigned object;
 *     cel_env_new(cel_libraries_all, &env, err);
 *     cel_env_variable(env, "object", "dyn", &object, err);
 *     cel_compile(env, BH_SLICE_LIT("object.spec.replicas <= 5"), &program, &issues, err);
 *     struct cel_run *run; cel_run_new(env, &limits, &run, err);
 *     cel_run_set(run, object, value);
 *     struct cel_value v = cel_eval(run, program);
 *
 * An environment is changed by no one once programs are compiled in it, so that any number of threads may run them, each with a run of its own.
 */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "policy/cel/ast.h"
#include "policy/cel/issues.h"
#include "policy/cel/library.h"
#include "policy/cel/type.h"

struct cel_env;

/* Every library there is, in the order of libraries.def; ended by NULL. */
extern const struct cel_library *const cel_libraries_all[];

/* A copy of nothing: libraries are constants. BH_EMALFORMED when a declaration of a library is wrong, which tests exclude. */
int cel_env_new(const struct cel_library *const *libraries, struct cel_env **ret, struct bh_err *err) BH_MUST_CHECK;
void cel_env_free(struct cel_env *env);

/* Names in expressions are looked for in the container first: in "a.b", x is a.b.x, a.x or x. */
int cel_env_container(struct cel_env *env, const char *name, struct bh_err *err) BH_MUST_CHECK;

/* A variable and its type (text form of type.h); *ret_slot is how cel_run_set names it. The name may have dots. */
int cel_env_variable(struct cel_env *env, const char *name, const char *type, unsigned *ret_slot, struct bh_err *err) BH_MUST_CHECK;

/* One that is the field of another, as "variables.x" in Kubernetes' policies: reading it costs what a name and its field do. */
int cel_env_field_variable(struct cel_env *env, const char *name, const char *type, unsigned *ret_slot, struct bh_err *err) BH_MUST_CHECK;

/* A record type: its fields by name and type. At run time it is a map; fields that are missing are errors. */
struct cel_field {
	const char *name; /* NULL ends a list */
	const char *type;
};
int cel_env_record(struct cel_env *env, const char *name, const struct cel_field *fields, struct bh_err *err) BH_MUST_CHECK;

/*
 * Record types that nobody declares field by field: NAME, NAME.a, NAME.a.b ... with any fields, of any type (Kubernetes' Object). Their values remember
 * the name of their type: cel_map.record.
 */
int cel_env_open_record(struct cel_env *env, const char *name, struct bh_err *err) BH_MUST_CHECK;

/* One more overload of a function. The table's constants must outlive the environment. */
int cel_env_overload(struct cel_env *env, const struct cel_overload *overload, struct bh_err *err) BH_MUST_CHECK;

/*
 * Kubernetes: all elements of a list or map literal have one type (otherwise such a literal is a list of dyn), and durations, timestamps, patterns and
 * formats that are literals can be read (otherwise they are errors of the evaluation).
 */
void cel_env_set_literals(struct cel_env *env, bool is_homogeneous, bool reads_literals);

/* ---- programs ---- */

struct cel_program;

enum cel_checking {
	CEL_CHECKED,   /* type errors are issues */
	CEL_UNCHECKED, /* what the types can't tell is found out at run time */
};

/*
 * BH_EMALFORMED: *issues says what is wrong and where; BH_ENOMEM. The text is copied. `issues` may be used until the program, or on failure
 * its own memory, is freed: cel_issues_done.
 */
int cel_compile(const struct cel_env *env, struct bh_slice text, enum cel_checking checking, struct cel_program **ret, struct bh_buf *issues, struct bh_err *err)
	BH_MUST_CHECK;
void cel_program_free(struct cel_program *program);

/* The type of its result, dyn when unchecked. */
const struct cel_type *cel_program_type(const struct cel_program *program);
const struct cel_expr *cel_program_tree(const struct cel_program *program);

/* ---- runs ---- */

struct cel_limits {
	uint64_t cost;       /* units of one evaluation; 0: no limit */
	size_t memory_bytes; /* of the values one evaluation makes */
};

struct cel_run;

int cel_run_new(const struct cel_env *env, const struct cel_limits *limits, struct cel_run **ret, struct bh_err *err) BH_MUST_CHECK;
void cel_run_free(struct cel_run *run);

/* The value must outlive the evaluations. CEL_UNKNOWN is a value here. A variable that was never set is an error when it is read. */
void cel_run_set(struct cel_run *run, unsigned slot, struct cel_value value);

/* Gives values on demand: asked once per evaluation for a variable that is read and was not set. `run` may be used for its arena and for evaluations. */
void cel_run_resolver(struct cel_run *run, struct cel_value (*resolve)(void *ctx, struct cel_run *run, unsigned slot), void *ctx);

/*
 * The value of the expression; what it points to lives until the next cel_run_reset. Errors are values: "no such key", "division by zero",
 * a limit that was reached ("... limit exceeded").
 */
struct cel_value cel_eval(struct cel_run *run, const struct cel_program *program);

/*
 * The fields that the last evaluation read last, the latest first: in a policy that says no, most often what it says no to. Missing fields count, too. The
 * maps are values that were given or made. Returns how many there are.
 */
#define CEL_READS_MAX 8u

struct cel_read {
	const struct cel_map *map;
	struct bh_slice field;
};
size_t cel_run_last_reads(const struct cel_run *run, struct cel_read reads[CEL_READS_MAX]);

/* What the last evaluation cost, and frees what evaluations made. */
uint64_t cel_run_cost(const struct cel_run *run);
void cel_run_reset(struct cel_run *run);

#endif
