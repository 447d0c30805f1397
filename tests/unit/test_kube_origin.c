/* test_kube_origin.c: what rendered documents are called. The texts are as helm 3.14 and Kustomize 5.5 print them. */
#include "kube/origin.h"

#include "kube/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MEMORY_BYTES (64u << 20)

#define POD(name) "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " name "\n"
#define ORIGIN(lines) "  annotations:\n    config.kubernetes.io/origin: |\n" lines

static const char *all_files(const char *name, const char *text, struct bh_buf *out)
{
	struct kube_set *set = NULL;
	struct bh_err err = { 0 };
	assert_int_equal(kube_set_new(MEMORY_BYTES, &set, &err), 0);
	assert_int_equal(kube_set_read(set, bh_slice_str(name), bh_slice_str(text), &err), 0);
	const struct kube_object_vec *objects = kube_set_objects(set);
	const struct kube_problem_vec *problems = kube_set_problems(set);
	bh_buf_clear(out);
	for (size_t i = 0; i < objects->len; i++)
		bh_buf_printf(out, "%.*s:%u ", BH_SLICE_FMT(objects->ptr[i].file), objects->ptr[i].line);
	for (size_t i = 0; i < problems->len; i++)
		bh_buf_printf(out, "!%.*s:%u ", BH_SLICE_FMT(problems->ptr[i].file), problems->ptr[i].line);
	bh_buf_add_byte(out, '\0');
	kube_set_free(set);
	return (const char *)out->ptr;
}

static void documents_have_their_template(void **state)
{
	static const struct {
		const char *name, *text, *expected;
	} cases[] = {
		/* helm */
		{ "charts/web (rendered)", "---\n# Source: shop/templates/a.yaml\n" POD("a") "---\n# Source: shop/charts/db/templates/b.yaml\n" POD("b"),
		  "charts/web/templates/a.yaml (rendered):3 charts/web/charts/db/templates/b.yaml (rendered):9 " },
		{ "charts/web/ (rendered)", "---\n# Source: shop/templates/a.yaml\n" POD("a"), "charts/web/templates/a.yaml (rendered):3 " },
		{ ". (rendered)", "---\n# Source: shop/templates/a.yaml\n\n\n" POD("a"), "./templates/a.yaml (rendered):5 " },
		/* A comment elsewhere is the template's own. */
		{ "c (rendered)", "---\n# Source: c/templates/a.yaml\n# Source: c/templates/lie.yaml\n" POD("a") "# Source: c/templates/lie.yaml\n",
		  "c/templates/a.yaml (rendered):4 " },
		{ "c (rendered)", POD("a"), "c (rendered):1 " },
		{ "c (rendered)", "---\n# Source: nothing\n" POD("a"), "c (rendered):3 " },
		{ "c (rendered)", "---\n# Source: \n" POD("a"), "c (rendered):3 " },
		/* In a text with a broken document each is read alone. */
		{ "c (rendered)", "---\n# Source: c/templates/a.yaml\n" POD("a") "---\n# Source: c/templates/b.yaml\nkind: [\n---\n# Source: c/templates/d.yaml\n" POD("d"),
		  "c/templates/a.yaml (rendered):3 c/templates/d.yaml (rendered):12 !c/templates/b.yaml (rendered):10 " },
		/* What somebody saved has lines of its own. */
		{ "all.yaml", "---\n# Source: c/templates/a.yaml\n" POD("a"), "all.yaml:3 " },
		/* Kustomize */
		{ "k/prod/kustomization.yaml (rendered)", POD("a") ORIGIN("      path: ../base/pod.yaml\n"), "k/base/pod.yaml (rendered):1 " },
		{ "k/prod/kustomization.yml (rendered)", POD("a") ORIGIN("      path: pod.yaml\n"), "k/prod/pod.yaml (rendered):1 " },
		{ "prod/Kustomization (rendered)", POD("a") ORIGIN("      path: ../../up/pod.yaml\n"), "../up/pod.yaml (rendered):1 " },
		{ "./kustomization.yaml (rendered)", POD("a") ORIGIN("      path: ../base/pod.yaml\n"), "./../base/pod.yaml (rendered):1 " },
		{ "/kustomization.yaml (rendered)", POD("a") ORIGIN("      path: ../pod.yaml\n"), "/../pod.yaml (rendered):1 " },
		{ "k/kustomization.yaml (rendered)", POD("a") ORIGIN("      configuredIn: kustomization.yaml\n      configuredBy:\n        apiVersion: builtin\n"),
		  "k/kustomization.yaml (rendered):1 " },
		{ "k/kustomization.yaml (rendered)", POD("a") ORIGIN("      path: x/pod.yaml\n      repo: https://example.org/x\n"), "k/kustomization.yaml (rendered):1 " },
		{ "k/kustomization.yaml (rendered)", POD("a"), "k/kustomization.yaml (rendered):1 " },
		{ "k/kustomization.yaml (rendered)", "---\n# Source: c/templates/a.yaml\n" POD("a"), "k/kustomization.yaml (rendered):3 " },
		{ "k/kustomization.yaml", POD("a") ORIGIN("      path: ../base/pod.yaml\n"), "k/kustomization.yaml:1 " },
	};
	struct bh_buf out;
	(void)state;
	bh_buf_init(&out, 1u << 16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(all_files(cases[i].name, cases[i].text, &out), cases[i].expected);
	bh_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(documents_have_their_template) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
