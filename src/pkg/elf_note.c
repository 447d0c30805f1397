/*
 * elf_note.c: package notes of executables and libraries (systemd.io/ELF_PACKAGE_METADATA): a note of owner "FDO" and type 0xcafe1a7e
 * in the section .note.package, which says from which package of which distribution a file is, wherever it was copied to:
 *
 *     {"type":"rpm","name":"coreutils","version":"9.1-6.fc37","architecture":"x86_64","os":"fedora","osVersion":"37"}
 *
 * Of all parsers of executables this one tells when a file has no ELF headers, or was cut off.
 */
#include "base/limits.h"
#include "format/elf.h"
#include "format/json.h"
#include "pkg/notes.h"

#define NOTE_TYPE 0xcafe1a7eu
#define NOTE_BYTES_MAX (64u << 10)

static const struct pkg_want elf_note_wants[] = {
	{ .kind = PKG_WANT_ELF, .path = "" },
	{ .kind = PKG_WANT_END },
};

/* Distributions name their package managers; package URLs name some of them differently. */
static struct bh_slice purl_type(struct bh_slice type)
{
	return bh_slice_eq_str(type, "pacman") || bh_slice_eq_str(type, "arch") ? BH_SLICE_LIT("alpm") : type;
}

static int on_document(const struct bh_json_node *root, uint64_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_package p = {
		.type = purl_type(bh_json_str(bh_json_get(root, "type"))),
		.name = bh_json_str(bh_json_get(root, "name")),
		.version = bh_json_str(bh_json_get(root, "version")),
		.arch = bh_json_str(bh_json_get(root, "architecture")),
		.at.evidence = BH_EVIDENCE_BINARY,
	};
	if (!pkg_word_ok(p.type, BH_NAME_BYTES_MAX) || !pkg_word_ok(p.name, BH_NAME_BYTES_MAX) || !pkg_word_ok(p.version, BH_VERSION_BYTES_MAX))
		return pkg_note(notes, offset, err, "the ELF package note has no usable type, name or version");
	return notes->sink->package(notes->sink->ctx, &p, err);
}

static int on_note(struct bh_slice content, uint64_t offset, struct pkg_notes *notes, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_err why = { 0 };
	while (content.len && content.ptr[content.len - 1] == '\0')
		content.len--;
	if (bh_json_parse(content, NOTE_BYTES_MAX, &doc, &why) < 0)
		return pkg_note(notes, offset, err, "the ELF package note is not JSON: %s", why.text);
	int rc = on_document(bh_json_root(doc), offset, notes, err);
	bh_json_free(doc);
	return rc;
}

/* The first package note of these notes; *ret_found says whether there was one. */
static int read_notes(const struct bh_elf *elf, struct bh_slice where, struct pkg_notes *notes, bool *ret_found, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(where);
	struct bh_elf_note note;
	while (bh_elf_next_note(elf, &r, &note)) {
		if (note.type != NOTE_TYPE || !bh_slice_eq_str(note.name, "FDO"))
			continue;
		*ret_found = true;
		return on_note(note.content, (uint64_t)(where.ptr - elf->file.ptr), notes, err);
	}
	return 0;
}

static int elf_note_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_elf elf;
	struct bh_elf_segment segment;
	struct bh_slice section;
	bool found = false;
	int rc = bh_elf_open(file->data, &elf, err);
	if (rc == 0 && elf.cut)
		rc = pkg_note(&notes, 0, err, "an ELF file whose headers lie outside of it: it is cut off or damaged");
	if (rc == 0 && bh_elf_section(&elf, ".note.package", &section))
		rc = read_notes(&elf, section, &notes, &found, err);
	for (uint32_t i = 0; rc == 0 && !found && bh_elf_segment(&elf, i, &segment); i++)
		if (segment.type == BH_ELF_NOTE)
			rc = read_notes(&elf, segment.data, &notes, &found, err);
	return rc;
}

const struct pkg_parser pkg_parser_elf_note = {
	.name = "elf_note",
	.type = "generic",
	.wants = elf_note_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = elf_note_parse,
};
