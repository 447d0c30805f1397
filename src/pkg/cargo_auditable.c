/*
 * cargo_auditable.c: crates of Rust executables that were built with cargo-auditable. The section .dep-v0 holds zlib-compressed JSON:
 *
 *     {"packages":[{"name":"serde","version":"1.0.0","source":"crates.io","kind":"build","dependencies":[1,2],"root":true}, ...]}
 *
 * kind "build" (of build scripts and macros) ran while compiling and is not in the executable; without a kind it is.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "format/elf.h"
#include "format/inflate.h"
#include "format/json.h"
#include "pkg/notes.h"

#define JSON_BYTES_MAX (8u << 20) /* as cargo-auditable's own reader */

static const struct pkg_want cargo_auditable_wants[] = {
	{ .kind = PKG_WANT_ELF, .path = "" },
	{ .kind = PKG_WANT_END },
};

static int on_crate(const struct bh_json_node *crate, uint64_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package p = {
		.type = BH_SLICE_LIT("cargo"),
		.name = bh_json_str(bh_json_get(crate, "name")),
		.version = bh_json_str(bh_json_get(crate, "version")),
		.scope = bh_slice_eq_str(bh_json_str(bh_json_get(crate, "kind")), "build") ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME,
		.at.evidence = BH_EVIDENCE_BINARY,
	};
	if (!pkg_word_ok(p.name, BH_NAME_BYTES_MAX) || !pkg_word_ok(p.version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, offset, err, "a crate has no usable name or version");
	return notes->sink->package(notes->sink->ctx, &p, err);
}

static int read_list(struct bh_slice text, uint64_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	int rc = bh_json_parse(text, JSON_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "cargo-auditable's list of crates");
	const struct bh_json_node *packages = bh_json_get(bh_json_root(doc), "packages");
	if (!bh_json_is_array(packages))
		rc = pkg_note(notes, offset, err, "cargo-auditable's list of crates is no list");
	for (size_t i = 0; rc == 0 && i < bh_json_len(packages); i++)
		rc = on_crate(bh_json_at(packages, i), offset, notes, err);
	bh_json_free(doc);
	return rc < 0 ? rc : pkg_notes_end(notes, offset, err);
}

static int cargo_auditable_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_elf elf;
	struct bh_slice section;
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, JSON_BYTES_MAX);
	if (bh_elf_open(file->data, &elf, NULL) < 0 || !bh_elf_section(&elf, ".dep-v0", &section))
		return 0; /* elf_note tells about files without headers */
	uint64_t offset = (uint64_t)(section.ptr - file->data.ptr);
	if (bh_inflate_zlib(section, JSON_BYTES_MAX, &text, err) < 0)
		return bh_wrap(err, "cargo-auditable's section .dep-v0");
	return read_list(bh_buf_slice(&text), offset, &notes, err);
}

const struct pkg_parser pkg_parser_cargo_auditable = {
	.name = "cargo_auditable",
	.type = "cargo",
	.wants = cargo_auditable_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = cargo_auditable_parse,
};
