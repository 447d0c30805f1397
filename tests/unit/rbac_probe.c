/*
 * rbac_probe.c: kube/rbac.h for tests in other languages.
 *
 * usage: rbac-probe FILE yes|no|auto <REQUESTS
 *
 * FILE holds the objects. A request is a line of fields with tabs between them: user, groups with commas, verb, API group, resource, subresource,
 * namespace, name, path; with a path only the verb counts beside it. Answer: a line, "1" allowed, "0" not.
 */
#include "kube/rbac.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES_MAX 65536
#define FILE_BYTES_MAX (64u << 20)
#define FIELDS 9

static struct bh_slice read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = f ? malloc(FILE_BYTES_MAX) : NULL;
	size_t n = text ? fread(text, 1, FILE_BYTES_MAX, f) : 0;
	if (f)
		fclose(f);
	return (struct bh_slice){ (const uint8_t *)text, n };
}

static void answer(const struct rbac *rbac, struct bh_slice line)
{
	struct bh_slice field[FIELDS] = { 0 }, groups[RBAC_USER_GROUPS_MAX], rest = line;
	struct bh_arena arena;
	struct rbac_user user;
	size_t n = 0;
	for (size_t i = 0; i < FIELDS; i++)
		(void)bh_slice_cut(rest, '\t', &field[i], &rest);
	for (rest = field[1]; rest.len && n < RBAC_USER_GROUPS_MAX; n++)
		(void)bh_slice_cut(rest, ',', &groups[n], &rest);
	bh_arena_init(&arena, 1u << 20);
	const struct rbac_request q = { .verb = field[2], .is_url = field[8].len != 0, .group = field[3], .resource = field[4], .subresource = field[5],
					.namespace = field[6], .name = field[7], .path = field[8] };
	if (!rbac_user_of(field[0], groups, n, &arena, &user))
		exit(1);
	puts(rbac_allows(rbac, &user, &q, NULL) ? "1" : "0");
	bh_arena_done(&arena);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES_MAX];
	struct kube_set *set;
	struct rbac *rbac;
	struct bh_err err = { 0 };
	if (argc != 3)
		return 2;
	struct bh_slice text = read_file(argv[1]);
	enum rbac_defaults defaults = argv[2][0] == 'y' ? RBAC_DEFAULTS_YES : argv[2][0] == 'n' ? RBAC_DEFAULTS_NO : RBAC_DEFAULTS_AUTO;
	if (kube_set_new(1u << 30, &set, &err) < 0 || kube_set_read(set, BH_SLICE_LIT("objects"), text, &err) < 0
	    || rbac_new(kube_set_objects(set), defaults, &rbac, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < rbac->problems.len; i++)
		fprintf(stderr, "problem: %.*s\n", BH_SLICE_FMT(rbac->problems.ptr[i].text));
	while (fgets(line, sizeof(line), stdin))
		answer(rbac, (struct bh_slice){ (const uint8_t *)line, strcspn(line, "\n") });
	rbac_free(rbac);
	kube_set_free(set);
	free((void *)(uintptr_t)text.ptr);
	return 0;
}
