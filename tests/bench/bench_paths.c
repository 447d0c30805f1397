/*
 * bench_paths.c: the rules of `bulkhead paths` and nothing else: bench_paths FILE reads manifests, follows their facts from the internet to the end, and writes to
 * standard output what another engine needs for the same ("rule TEXT", "fact PREDICATE<TAB>ARGUMENT..."), then "facts", how many there are at the end, and the
 * nanoseconds that it took.
 */
#include "kube/paths_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

static const char *const rules[] = {
#define PATHS_RULE(id, technique, rule, sentence) rule,
#include "kube/paths_rules.def"
#undef PATHS_RULE
};

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void write_given(const struct logic *l)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		printf("rule %s\n", rules[i]);
	for (size_t i = 0; i < l->facts.len; i++) {
		const struct logic_fact *f = &l->facts.ptr[i];
		printf("fact %.*s", BH_SLICE_FMT(logic_text(l, f->predicate)));
		for (size_t k = 0; k < f->n; k++)
			printf("\t%.*s", BH_SLICE_FMT(logic_text(l, f->arguments[k])));
		putchar('\n');
	}
}

static int follow(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct bh_slice internet = BH_SLICE_LIT("the internet");
	struct paths_facts facts;
	double began;
	(void)ctx;
	int rc = paths_facts_find(&facts, asked, (struct bh_slice){ 0 }, err);
	rc = rc < 0 ? rc : logic_add(&facts.logic, "outside", &internet, 1, NULL, err);
	if (rc == 0) {
		write_given(&facts.logic);
		began = now_ns();
		rc = logic_run(&facts.logic, err);
		printf("facts %zu %.0f\n", facts.logic.facts.len, now_ns() - began);
	}
	paths_facts_done(&facts);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct kube_question question = { .name = "facts", .answer = follow };
	BH_CLOSE int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct kube_answer answer;
	struct bh_err err = { 0 };
	struct stat st;
	void *text = fd >= 0 && fstat(fd, &st) == 0 && st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (text == MAP_FAILED) {
		fprintf(stderr, "usage: bench_paths FILE\n");
		return 2;
	}
	if (kube_ask_text(&question, (struct bh_slice){ text, (size_t)st.st_size }, &answer, &err) < 0) {
		fprintf(stderr, "bench_paths: %s\n", err.text);
		return 1;
	}
	kube_answer_done(&answer);
	return 0;
}
