/*
 * test_cel.c: expressions and what they are, from the tables in tests/table/cel/. A line is one of
 *
 *     EXPRESSION ==> EXPRESSION       both have the same value, of the same kind
 *     EXPRESSION ==> error TEXT       evaluating fails, and the message has the text
 *     EXPRESSION ==> refused TEXT     it does not compile, and the complaint has the text
 *     EXPRESSION ==> cost NUMBER      what evaluating costs
 *
 * "#" begins a comment. A head comment of each table says where its expected values come from. Variables: `object`, a pod; `unknown`. Records: Object
 * and JSONPatch, as mutating policies have them.
 */
#include <glob.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "policy/cel/cel.h"

#define MEMORY_BYTES_MAX (16u << 20)

static const char pod[] = "{'metadata': {'name': 'web', 'labels': {'app': 'web', 'tier': 'front'}}, 'spec': {'hostNetwork': false, 'containers': ["
			  "{'name': 'a', 'image': 'nginx:1.25', 'securityContext': {'allowPrivilegeEscalation': false, 'runAsUser': 1000}},"
			  "{'name': 'b', 'image': 'redis@sha256:00', 'ports': [{'containerPort': 6379}]}]}}";

struct fixture {
	struct cel_env *env;
	struct cel_run *run;
	struct cel_program *pod;
	unsigned object, unknown;
};

static const struct cel_field patch_fields[] = { { "op", "string" }, { "path", "string" }, { "from", "string" }, { "value", "dyn" }, { 0 } };

static void set_up(struct fixture *f)
{
	struct bh_err err;
	struct cel_limits limits = { .cost = 10000000, .memory_bytes = MEMORY_BYTES_MAX };
	assert_int_equal(cel_env_new(cel_libraries_all, &f->env, &err), 0);
	assert_int_equal(cel_env_variable(f->env, "object", "dyn", &f->object, &err), 0);
	assert_int_equal(cel_env_variable(f->env, "unknown", "dyn", &f->unknown, &err), 0);
	assert_int_equal(cel_env_open_record(f->env, "Object", &err), 0);
	assert_int_equal(cel_env_record(f->env, "JSONPatch", patch_fields, &err), 0);
	assert_int_equal(cel_compile(f->env, bh_slice_str(pod), CEL_CHECKED, &f->pod, NULL, &err), 0);
	assert_int_equal(cel_run_new(f->env, &limits, &f->run, &err), 0);
}

static void bind(struct fixture *f)
{
	cel_run_reset(f->run);
	cel_run_set(f->run, f->object, cel_eval(f->run, f->pod));
	cel_run_set(f->run, f->unknown, cel_unknown());
}

static void tear_down(struct fixture *f)
{
	cel_program_free(f->pod);
	cel_run_free(f->run);
	cel_env_free(f->env);
}

static bool has(const char *text, struct bh_slice part)
{
	return text && (part.len == 0 || memmem(text, strlen(text), part.ptr, part.len));
}

static bool check_refused(struct bh_slice issues, struct bh_slice wanted)
{
	return wanted.len == 0 || (issues.len && memmem(issues.ptr, issues.len, wanted.ptr, wanted.len));
}

static const char *check_equal(struct fixture *f, struct cel_value v, struct bh_slice wanted)
{
	struct cel_program *p;
	struct bh_err err;
	if (v.kind == CEL_ERROR)
		return v.error;
	if (cel_compile(f->env, wanted, CEL_UNCHECKED, &p, NULL, &err) < 0)
		return "what is expected does not compile";
	struct cel_value w = cel_eval(f->run, p);
	bool same = w.kind == CEL_UNKNOWN ? v.kind == CEL_UNKNOWN : cel_is_known(v) && cel_is_known(w) && v.kind == w.kind && cel_equal(v, w);
	cel_program_free(p);
	return same ? NULL : "another value";
}

static const char *check_value(struct fixture *f, const struct cel_program *p, struct bh_slice wanted)
{
	static char text[128];
	bind(f);
	struct cel_value v = cel_eval(f->run, p);
	if (bh_slice_starts(wanted, BH_SLICE_LIT("error"))) {
		if (v.kind != CEL_ERROR)
			return "no error";
		return has(v.error, bh_slice_trim(bh_slice_sub(wanted, 5, wanted.len))) ? NULL : v.error;
	}
	if (bh_slice_starts(wanted, BH_SLICE_LIT("cost "))) {
		snprintf(text, sizeof(text), "cost %llu", (unsigned long long)cel_run_cost(f->run));
		return bh_slice_eq_str(wanted, text) ? NULL : text;
	}
	return check_equal(f, v, wanted);
}

/* What is wrong with a line; NULL when nothing is. */
static const char *check_line(struct fixture *f, struct bh_slice expr, struct bh_slice wanted, struct bh_buf *issues)
{
	struct cel_program *p = NULL;
	struct bh_err err;
	bool refused = bh_slice_starts(wanted, BH_SLICE_LIT("refused"));
	bh_buf_clear(issues);
	if (cel_compile(f->env, expr, CEL_CHECKED, &p, issues, &err) < 0) {
		bh_buf_add_byte(issues, '\0');
		if (refused && check_refused(bh_buf_slice(issues), bh_slice_trim(bh_slice_sub(wanted, 7, wanted.len))))
			return NULL;
		return (const char *)issues->ptr;
	}
	const char *wrong = refused ? "it compiles" : check_value(f, p, wanted);
	cel_program_free(p);
	return wrong;
}

static unsigned check_table(struct fixture *f, const char *path, unsigned *bad)
{
	char *line = NULL;
	size_t cap = 0;
	unsigned n = 0, number = 0;
	struct bh_buf issues;
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	bh_buf_init(&issues, 1u << 20);
	for (ssize_t len; (len = getline(&line, &cap, file)) > 0;) {
		struct bh_slice text = bh_slice_trim((struct bh_slice){ (const uint8_t *)line, (size_t)len });
		const uint8_t *arrow = bh_slice_search(text, " ==> ");
		number++;
		if (text.len == 0 || text.ptr[0] == '#')
			continue;
		n++;
		const char *wrong = "a line without ==>";
		if (arrow) {
			size_t at = (size_t)(arrow - text.ptr);
			wrong = check_line(f, bh_slice_trim(bh_slice_sub(text, 0, at)), bh_slice_trim(bh_slice_sub(text, at + 5, text.len)), &issues);
		}
		if (wrong) {
			print_error("%s:%u: %.*s\n    %s\n", path, number, BH_SLICE_FMT(text), wrong);
			(*bad)++;
		}
	}
	free(line);
	fclose(file);
	bh_buf_done(&issues);
	return n;
}

static void tables(void **state)
{
	glob_t files;
	unsigned bad = 0, n = 0;
	struct fixture f;
	(void)state;
	set_up(&f);
	assert_int_equal(glob("tests/table/cel/*.txt", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		n += check_table(&f, files.gl_pathv[i], &bad);
	globfree(&files);
	tear_down(&f);
	assert_true(n > 0);
	assert_int_equal(bad, 0);
}

/* ---- what a table can't say ---- */

static struct cel_value evaluate(struct fixture *f, const char *expr)
{
	struct cel_program *p;
	struct bh_err err;
	assert_int_equal(cel_compile(f->env, bh_slice_str(expr), CEL_CHECKED, &p, NULL, &err), 0);
	struct cel_value v = cel_eval(f->run, p);
	cel_program_free(p);
	return v;
}

/* Repeats a text n times between two others. */
static char *repeat(const char *before, const char *text, size_t n, const char *after)
{
	struct bh_buf b;
	bh_buf_init(&b, 64u << 20);
	bh_buf_add_str(&b, before);
	for (size_t i = 0; i < n; i++)
		bh_buf_add_str(&b, text);
	bh_buf_add_str(&b, after);
	bh_buf_add_byte(&b, '\0');
	assert_false(b.failed);
	return (char *)b.ptr;
}

static int compiles(struct fixture *f, const char *expr)
{
	struct cel_program *p = NULL;
	struct bh_err err;
	int rc = cel_compile(f->env, bh_slice_str(expr), CEL_CHECKED, &p, NULL, &err);
	cel_program_free(p);
	return rc;
}

static void deep_and_long_texts(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	const struct {
		const char *before, *text;
		size_t n;
		const char *after;
		int rc;
	} cases[] = {
		{ "", "(", 200, "1))))", BH_EMALFORMED },
		{ "", "(", 90000, "", BH_EMALFORMED },
		{ "", "[", 90000, "", BH_EMALFORMED },
		{ "", "{1:", 30000, "", BH_EMALFORMED },
		{ "", "!", 90000, "true", 0 },
		{ "", "-", 90000, "1", 0 },
		{ "1", " + 1", 200, "", 0 },
		{ "1", " + 1", 20000, "", BH_EMALFORMED },
		{ "true", " && true", 10000, "", 0 },
		{ "object", ".a", 200, "", 0 },
		{ "object", ".a", 20000, "", BH_EMALFORMED },
		{ "", "true ? 1 : ", 20000, "1", BH_EMALFORMED },
		{ "'", "x", 99000, "'", 0 },
		{ "'", "x", 100001, "'", BH_EMALFORMED },
		{ "[1]", ".map(x, x)", 20000, "", BH_EMALFORMED },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *expr = repeat(cases[i].before, cases[i].text, cases[i].n, cases[i].after);
		int rc = compiles(&f, expr);
		if (rc != cases[i].rc)
			print_error("%zu x %s: %d\n", cases[i].n, cases[i].text, rc);
		assert_int_equal(rc, cases[i].rc);
		free(expr);
	}
	tear_down(&f);
}

/* Doubling a list 30 times, and loops in loops: the limits end both. */
static void costly_expressions(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	bind(&f);
	struct cel_value v = evaluate(&f, "[1,2,3,4,5,6,7,8,9,0].all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, [1,2,3,4,5,6,7,8,9,0].all(d,"
					  "[1,2,3,4,5,6,7,8,9,0].all(e, [1,2,3,4,5,6,7,8,9,0].all(f, [1,2,3,4,5,6,7,8,9,0].all(g, g >= 0)))))))");
	assert_int_equal(v.kind, CEL_ERROR);
	assert_string_equal(v.error, "operation cancelled: actual cost limit exceeded");
	char *doubling = repeat("['0123456789012345678901234567890123456789']", ".map(x, x + x)", 24, "");
	v = evaluate(&f, doubling);
	assert_int_equal(v.kind, CEL_ERROR);
	free(doubling);
	tear_down(&f);
}

static struct cel_value give(void *ctx, struct cel_run *run, unsigned slot)
{
	(void)slot;
	++*(unsigned *)ctx;
	return cel_fail(run, "asked");
}

static void variables_on_demand(void **state)
{
	struct bh_err err;
	struct cel_limits limits = { .memory_bytes = MEMORY_BYTES_MAX };
	struct cel_env *env;
	struct cel_run *run;
	struct cel_program *p;
	unsigned slot, asked = 0;
	(void)state;
	assert_int_equal(cel_env_new(cel_libraries_all, &env, &err), 0);
	assert_int_equal(cel_env_variable(env, "late", "int", &slot, &err), 0);
	assert_int_equal(cel_compile(env, BH_SLICE_LIT("true || late + late > 0"), CEL_CHECKED, &p, NULL, &err), 0);
	assert_int_equal(cel_run_new(env, &limits, &run, &err), 0);
	cel_run_resolver(run, give, &asked);
	assert_true(cel_is_true(cel_eval(run, p)));
	assert_int_equal(asked, 0);
	cel_program_free(p);
	assert_int_equal(cel_compile(env, BH_SLICE_LIT("late == 1 || late == 2"), CEL_CHECKED, &p, NULL, &err), 0);
	assert_int_equal(cel_eval(run, p).kind, CEL_ERROR);
	assert_int_equal(asked, 1);
	cel_program_free(p);
	cel_run_free(run);
	cel_env_free(env);
}

/* cel-go, interpreter/runtimecost.go: an attribute costs 1 and each field of it 1; "authorizer.requestResource" is a name with a dot, "variables.x" is not. */
static void costs_of_names_with_dots(void **state)
{
	static const struct {
		const char *text;
		uint64_t cost;
	} cases[] = { { "plain", 1 }, { "dotted.name", 1 }, { "variables.x", 2 }, { "variables.x + 1", 3 }, { "variables.x + variables.x", 5 }, { "dotted.name + plain", 3 } };
	struct bh_err err;
	struct cel_limits limits = { .memory_bytes = MEMORY_BYTES_MAX };
	struct cel_env *env;
	struct cel_run *run;
	unsigned plain, dotted, field;
	(void)state;
	assert_int_equal(cel_env_new(cel_libraries_all, &env, &err), 0);
	assert_int_equal(cel_env_variable(env, "plain", "int", &plain, &err), 0);
	assert_int_equal(cel_env_variable(env, "dotted.name", "int", &dotted, &err), 0);
	assert_int_equal(cel_env_field_variable(env, "variables.x", "int", &field, &err), 0);
	assert_int_equal(cel_run_new(env, &limits, &run, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cel_program *p;
		assert_int_equal(cel_compile(env, bh_slice_str(cases[i].text), CEL_CHECKED, &p, NULL, &err), 0);
		cel_run_set(run, plain, cel_int(1));
		cel_run_set(run, dotted, cel_int(1));
		cel_run_set(run, field, cel_int(1));
		assert_int_equal(cel_eval(run, p).kind, CEL_INT);
		assert_int_equal(cel_run_cost(run), cases[i].cost);
		cel_run_reset(run);
		cel_program_free(p);
	}
	cel_run_free(run);
	cel_env_free(env);
}

static void records_and_containers(void **state)
{
	static const struct cel_field fields[] = { { "name", "string" }, { "groups", "list(string)" }, { 0 } };
	struct bh_err err;
	struct cel_env *env;
	struct cel_program *p = NULL;
	unsigned slot;
	(void)state;
	assert_int_equal(cel_env_new(cel_libraries_all, &env, &err), 0);
	assert_int_equal(cel_env_record(env, "user", fields, &err), 0);
	assert_int_equal(cel_env_variable(env, "me", "user", &slot, &err), 0);
	struct bh_buf issues;
	bh_buf_init(&issues, 4096);
	assert_int_equal(cel_compile(env, BH_SLICE_LIT("me.name in me.groups"), CEL_CHECKED, &p, &issues, &err), 0);
	assert_ptr_equal(cel_program_type(p), &cel_type_bool);
	cel_program_free(p);
	assert_int_equal(cel_compile(env, BH_SLICE_LIT("me.nam == ''"), CEL_CHECKED, &p, &issues, &err), BH_EMALFORMED);
	bh_buf_add_byte(&issues, '\0');
	assert_string_equal((const char *)issues.ptr, "ERROR: <input>:1:3: undefined field 'nam'\n | me.nam == ''\n | ..^");
	bh_buf_done(&issues);
	cel_env_free(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(deep_and_long_texts),
		cmocka_unit_test(costly_expressions),
		cmocka_unit_test(variables_on_demand),
		cmocka_unit_test(costs_of_names_with_dots),
		cmocka_unit_test(records_and_containers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
