/*
 * fuzz_cel.c: any input as an expression, checked and unchecked, evaluated on a pod within small limits. What checks is of the type that was found:
 * a bool where bool was promised. What an API server takes of it, with its rules for literals, is a part of that.
 */
#include "policy/cel/cel.h"

#include <stdlib.h>

#define MEMORY_BYTES_MAX (8u << 20)
#define COST_MAX 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char pod[] = "{'metadata': {'name': 'web', 'labels': {'app': 'web'}}, 'spec': {'containers': [{'name': 'a', 'image': 'nginx:1.25'}]}}";

static struct cel_env *env, *strict;
static struct cel_program *pod_program;
static unsigned object, unknown;

static void set_up(void)
{
	struct bh_err err;
	if (env)
		return;
	if (cel_env_new(cel_libraries_all, &env, &err) < 0 || cel_env_new(cel_libraries_all, &strict, &err) < 0 || cel_env_variable(env, "object", "dyn", &object, &err) < 0
	    || cel_env_variable(env, "unknown", "dyn", &unknown, &err) < 0 || cel_compile(env, bh_slice_str(pod), CEL_CHECKED, &pod_program, NULL, &err) < 0)
		abort();
	cel_env_set_literals(strict, true, true);
}

static bool compiles(const struct cel_env *in, struct bh_slice text)
{
	struct cel_program *program = NULL;
	struct bh_err err;
	bool ok = cel_compile(in, text, CEL_CHECKED, &program, NULL, &err) == 0;
	cel_program_free(program);
	return ok;
}

static bool has_type(const struct cel_type *t, struct cel_value v)
{
	switch (t->kind) {
	case CEL_TYPE_BOOL: return v.kind == CEL_BOOL;
	case CEL_TYPE_INT: return v.kind == CEL_INT;
	case CEL_TYPE_STRING: return v.kind == CEL_STRING;
	case CEL_TYPE_LIST: return v.kind == CEL_LIST;
	case CEL_TYPE_MAP: return v.kind == CEL_MAP;
	default: return true;
	}
}

static void evaluate(const struct cel_program *program, bool is_checked)
{
	struct cel_limits limits = { .cost = COST_MAX, .memory_bytes = MEMORY_BYTES_MAX };
	struct cel_run *run;
	struct bh_err err;
	if (cel_run_new(env, &limits, &run, &err) < 0)
		return;
	cel_run_set(run, object, cel_eval(run, pod_program));
	cel_run_set(run, unknown, cel_unknown());
	struct cel_value v = cel_eval(run, program);
	if (is_checked && cel_is_known(v) && !has_type(cel_program_type(program), v))
		abort();
	cel_run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (compiles(strict, (struct bh_slice){ data, size }) && !compiles(env, (struct bh_slice){ data, size }))
		abort();
	for (int checking = CEL_CHECKED; checking <= CEL_UNCHECKED; checking++) {
		struct cel_program *program = NULL;
		struct bh_buf issues;
		struct bh_err err;
		bh_buf_init(&issues, 1u << 20);
		if (cel_compile(env, (struct bh_slice){ data, size }, (enum cel_checking)checking, &program, &issues, &err) == 0)
			evaluate(program, checking == CEL_CHECKED);
		else if (issues.len == 0 && err.code == BH_EMALFORMED)
			abort();
		cel_program_free(program);
		bh_buf_done(&issues);
	}
	return 0;
}
