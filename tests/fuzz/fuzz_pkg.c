/*
 * fuzz_pkg.c: one target per line of parsers.def: the program's first argument is "--NAME" (libFuzzer ignores such words). The first wanted path stands in for the file's
 * own, unless the input starts with a line "@PATH". Parsers with a sibling take the second half of the input (or of what
 * follows that line) as the sibling when it starts with "+".
 */
#include "pkg/pkg.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pkg_parser *parser;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	for (size_t i = 0; *argc > 1 && pkg_parsers[i]; i++)
		if (strncmp((*argv)[1], "--", 2) == 0 && strcmp((*argv)[1] + 2, pkg_parsers[i]->name) == 0)
			parser = pkg_parsers[i];
	if (!parser)
		abort(); /* no parser of that name */
	return 0;
}

static volatile unsigned checksum;

/* Touch every byte handed out, so that ASan sees a slice that points astray. */
static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static int on_package(void *ctx, const struct bh_package *p, struct bh_err *err)
{
	(void)ctx, (void)err;
	const struct bh_slice all[] = { p->type, p->name, p->version, p->arch, p->source_name, p->source_version, p->vendor,
					p->modularity, p->license, p->provides, p->owned, p->sha1, p->owner, p->purl, p->at.path, p->at.inner };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		touch(all[i]);
	if (p->name.len == 0)
		abort(); /* a package without a name is a parser's bug */
	return 0;
}

static int on_owned(void *ctx, struct bh_slice type, struct bh_slice name, struct bh_slice arch, struct bh_slice paths, struct bh_err *err)
{
	(void)ctx, (void)err;
	touch(type), touch(name), touch(arch), touch(paths);
	if (paths.len && paths.ptr[paths.len - 1] != '\0')
		abort();
	return 0;
}

static int on_distro(void *ctx, const struct bh_distro *d, struct bh_err *err)
{
	(void)ctx, (void)err;
	touch(d->id), touch(d->version_id), touch(d->codename), touch(d->name), touch(d->id_like), touch(d->path);
	return 0;
}

static int on_incomplete(void *ctx, uint64_t offset, const char *reason, struct bh_err *err)
{
	(void)ctx, (void)err, (void)offset;
	touch(bh_slice_str(reason));
	return 0;
}

/* Takes "@PATH\n" off the front of the data. */
static void take_path(struct pkg_file *file)
{
	struct bh_slice line, rest;
	if (file->data.len == 0 || file->data.ptr[0] != '@' || !bh_slice_cut(file->data, '\n', &line, &rest))
		return;
	file->path = bh_slice_sub(line, 1, line.len);
	file->data = rest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pkg_file file = { .path = bh_slice_str(parser->wants[0].path), .data = { data, size } };
	take_path(&file);
	if (parser->sibling_suffix && file.data.len && file.data.ptr[0] == '+') {
		struct bh_slice rest = bh_slice_sub(file.data, 1, size);
		file.data = bh_slice_sub(rest, 0, rest.len / 2);
		file.sibling = bh_slice_sub(rest, rest.len / 2, rest.len);
	}
	struct pkg_sink sink = { on_package, on_owned, on_distro, on_incomplete, NULL, NULL };
	struct bh_arena scratch;
	bh_arena_init(&scratch, 64u << 20);
	struct bh_err err = { 0 };
	int rc = parser->parse(&file, &sink, &scratch, &err);
	if (rc < 0 && (err.code != rc || err.text[0] == '\0'))
		abort(); /* a failure must say why */
	bh_arena_done(&scratch);
	return 0;
}
