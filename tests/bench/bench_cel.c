/*
 * bench_cel.c: nanoseconds of CEL: each line of standard input is NAME<TAB>EXPRESSION, evaluated on the pod below as `object`; printed as
 * NAME<TAB>ns of an evaluation<TAB>ns of a compilation. Then what the built-in policies take for one review of that pod, in this process:
 * "review", the number of policies, the median and the 99th percentile.
 */
#include "kube/rules.h"
#include "kube/vap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LINE_BYTES 8192
#define MEMORY_BYTES_MAX (64u << 20)
#define EVALUATIONS 200000u
#define COMPILATIONS 2000u
#define REVIEWS 2000u
#define POLICIES_MAX 256u

static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec:\n  containers:\n"
			  "  - {name: a, image: 'a:1', securityContext: {allowPrivilegeEscalation: false}}\n"
			  "  - {name: b, image: 'b:1', securityContext: {allowPrivilegeEscalation: false}}\n"
			  "  - {name: c, image: 'c:1', securityContext: {allowPrivilegeEscalation: false}}\n"
			  "  - {name: d, image: 'd:1', securityContext: {allowPrivilegeEscalation: false}}\n"
			  "  - {name: e, image: 'e:1', securityContext: {allowPrivilegeEscalation: false}}\n";

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(int rc, const struct bh_err *err)
{
	if (rc < 0) {
		fprintf(stderr, "bench_cel: %s\n", err->text);
		exit(1);
	}
}

static void measure(const struct cel_env *env, struct cel_run *run, const char *name, const char *expr)
{
	struct cel_program *program = NULL;
	struct bh_err err = { 0 };
	double began = now_ns();
	for (unsigned i = 0; i < COMPILATIONS; i++) {
		cel_program_free(program);
		must(cel_compile(env, bh_slice_str(expr), CEL_CHECKED, &program, NULL, &err), &err);
	}
	double compiled = (now_ns() - began) / COMPILATIONS;
	began = now_ns();
	for (unsigned i = 0; i < EVALUATIONS; i++) {
		if (!cel_is_true(cel_eval(run, program))) {
			fprintf(stderr, "bench_cel: %s is not true\n", name);
			exit(1);
		}
		if (i % 1000 == 0)
			cel_run_reset(run);
	}
	printf("%s\t%.0f\t%.0f\n", name, (now_ns() - began) / EVALUATIONS, compiled);
	cel_program_free(program);
}

static void measure_lines(const struct kube_object *object)
{
	struct cel_env *env;
	struct cel_run *run;
	struct bh_err err = { 0 };
	struct cel_limits limits = { .cost = 1000000, .memory_bytes = MEMORY_BYTES_MAX };
	char line[LINE_BYTES];
	unsigned slot;
	must(cel_env_new(cel_libraries_all, &env, &err), &err);
	must(cel_env_variable(env, "object", "dyn", &slot, &err), &err);
	must(cel_run_new(env, &limits, &run, &err), &err);
	cel_run_set(run, slot, object->value);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = '\0';
		measure(env, run, line, tab + 1);
	}
	cel_run_free(run);
	cel_env_free(env);
}

static int count(void *ctx, const struct vap_result *result, struct bh_err *err)
{
	(void)result, (void)err;
	++*(size_t *)ctx;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure_review(const struct kube_object *object, const struct kube_world *world)
{
	static double times[REVIEWS];
	static struct vap_policy *policies[POLICIES_MAX];
	struct kube_set *rules;
	struct bh_err err = { 0 };
	size_t n = 0, results = 0;
	must(kube_set_new(MEMORY_BYTES_MAX, &rules, &err), &err);
	for (size_t i = 0; i < kube_rules_count; i++)
		must(kube_set_read(rules, bh_slice_str(kube_rules[i].file), bh_slice_str(kube_rules[i].text), &err), &err);
	for (size_t i = 0; i < kube_set_objects(rules)->len && n < POLICIES_MAX; i++) {
		struct bh_buf why;
		bh_buf_init(&why, 4096);
		must(vap_policy_new(&kube_set_objects(rules)->ptr[i], VAP_NEWEST_MINOR, &policies[n++], &why, &err), &err);
		bh_buf_done(&why);
	}
	for (unsigned i = 0; i < REVIEWS; i++) {
		struct bh_arena arena;
		struct kube_request request;
		double began = now_ns();
		bh_arena_init(&arena, MEMORY_BYTES_MAX);
		if (!kube_request_create(object, world, &arena, &request))
			exit(1);
		for (size_t k = 0; k < n; k++)
			must(vap_review(policies[k], &request, world, count, &results, &err), &err);
		bh_arena_done(&arena);
		times[i] = now_ns() - began;
	}
	qsort(times, REVIEWS, sizeof(times[0]), by_value);
	printf("review\t%zu\t%.0f\t%.0f\n", n, times[REVIEWS / 2], times[REVIEWS * 99 / 100]);
	if (results == 0)
		fprintf(stderr, "bench_cel: no policy objected to anything\n");
	for (size_t k = 0; k < n; k++)
		vap_policy_free(policies[k]);
	kube_set_free(rules);
}

int main(void)
{
	struct kube_set *set;
	struct bh_err err = { 0 };
	must(kube_set_new(MEMORY_BYTES_MAX, &set, &err), &err);
	must(kube_set_read(set, BH_SLICE_LIT("pod"), bh_slice_str(pod), &err), &err);
	const struct kube_object_vec *objects = kube_set_objects(set);
	measure_lines(&objects->ptr[0]);
	struct kube_world world;
	must(kube_world_init(&world, objects, &err), &err);
	measure_review(&objects->ptr[0], &world);
	kube_world_done(&world);
	kube_set_free(set);
	return 0;
}
