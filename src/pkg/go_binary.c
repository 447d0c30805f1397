/*
 * go_binary.c: modules and standard library of executables, as the Go linker wrote them down (`go version -m`). ELF only: containers'
 * executables are. A header of 32 bytes stands in the section .go.buildinfo, or, without sections, in the first writable segment:
 *
 *     0 "\xff Go buildinf:"    14 size of a pointer    15 flags: 1 big endian, 2 strings follow (Go 1.18 and later)
 *     with flag 2:    32 length (varint), Go version; length, modules
 *     without:        16 address of a string of the Go version, behind it that of the modules; a string is an address and a length
 *
 * The modules are text between two marks of 16 bytes, one line each with tabs between its words:
 *
 *     path  PACKAGE     mod  MODULE  VERSION  SUM     dep  MODULE  VERSION  SUM     =>  MODULE  VERSION  SUM     build  KEY=VALUE
 */
#include "base/limits.h"
#include "base/reader.h"
#include "format/elf.h"
#include "pkg/golang.h"

#define MAGIC "\xff Go buildinf:"
#define HEADER_BYTES 32u
#define MARK_BYTES 16u
#define MODULES_BYTES_MAX (8u << 20) /* the largest real ones have about 200 KiB */
#define UPX_TAIL_BYTES 64u
#define RELEASE_BYTES_MAX 64u

enum flags { FLAG_BIG_ENDIAN = 1, FLAG_INLINE = 2 };

static const struct pkg_want go_binary_wants[] = {
	{ .kind = PKG_WANT_ELF, .path = "" },
	{ .kind = PKG_WANT_END },
};

struct build_info {
	struct bh_slice go_version, modules;
};

static bool find_magic(struct bh_slice in, struct bh_slice *ret)
{
	const uint8_t *at = bh_slice_search(in, MAGIC);
	if (!at)
		return false;
	*ret = bh_slice_sub(in, (size_t)(at - in.ptr), in.len);
	return true;
}

/* From the header on to the end of its section or segment. */
static bool find_header(const struct bh_elf *elf, struct bh_slice *ret)
{
	struct bh_slice section;
	struct bh_elf_segment s;
	if (bh_elf_section(elf, ".go.buildinfo", &section))
		return find_magic(section, ret);
	for (uint32_t i = 0; bh_elf_segment(elf, i, &s); i++)
		if (s.type == BH_ELF_LOAD && (s.flags & BH_ELF_WRITABLE) && s.data.len)
			return find_magic(s.data, ret);
	return false;
}

static bool take_varint(struct bh_reader *r, uint64_t *out)
{
	uint64_t value = 0;
	uint8_t byte = 0x80;
	for (unsigned shift = 0; byte & 0x80 && shift < 63; shift += 7) {
		if (!bh_take_u8(r, &byte))
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
	}
	*out = value;
	return !(byte & 0x80);
}

static bool take_string(struct bh_reader *r, struct bh_slice *out)
{
	uint64_t len = 0;
	return take_varint(r, &len) && len <= MODULES_BYTES_MAX && bh_take(r, (size_t)len, out);
}

/* The string whose address and length stand at an address. The header says how words are written, not the file. */
static bool string_at(const struct bh_elf *elf, const struct bh_elf *words, size_t word_bytes, uint64_t address, struct bh_slice *out)
{
	struct bh_slice there;
	uint64_t text = 0, len = 0;
	if (!bh_elf_at(elf, address, &there))
		return false;
	struct bh_reader r = bh_reader_of(there);
	if (!bh_elf_take(words, &r, word_bytes, &text) || !bh_elf_take(words, &r, word_bytes, &len) || len > MODULES_BYTES_MAX)
		return false;
	if (len == 0) {
		*out = (struct bh_slice){ 0 };
		return true;
	}
	if (!bh_elf_at(elf, text, &there) || len > there.len)
		return false;
	*out = bh_slice_sub(there, 0, (size_t)len);
	return true;
}

static bool read_pointers(const struct bh_elf *elf, struct bh_slice header, struct build_info *ret)
{
	size_t word_bytes = header.ptr[14];
	uint64_t version = 0, modules = 0;
	struct bh_elf words = { .big = header.ptr[15] & FLAG_BIG_ENDIAN };
	struct bh_reader r = bh_reader_of(bh_slice_sub(header, 16, HEADER_BYTES - 16));
	if ((word_bytes != 4 && word_bytes != 8) || !bh_elf_take(&words, &r, word_bytes, &version) || !bh_elf_take(&words, &r, word_bytes, &modules))
		return false;
	return string_at(elf, &words, word_bytes, version, &ret->go_version) && string_at(elf, &words, word_bytes, modules, &ret->modules);
}

static bool read_header(const struct bh_elf *elf, struct bh_slice header, struct build_info *ret)
{
	if (header.len < HEADER_BYTES)
		return false;
	if (!(header.ptr[15] & FLAG_INLINE))
		return read_pointers(elf, header, ret);
	struct bh_reader r = bh_reader_of(bh_slice_sub(header, HEADER_BYTES, header.len));
	return take_string(&r, &ret->go_version) && take_string(&r, &ret->modules);
}

/* ---- modules ---- */

struct modules {
	struct bh_slice flags;       /* build -ldflags=... */
	struct pkg_go_module main;
	struct pkg_go_module last;   /* not handed on yet: a line "=>" may follow */
	bool have_last;
	struct pkg_notes *notes;
	uint64_t offset;
};

static const struct bh_location in_binary = { .evidence = BH_EVIDENCE_BINARY };

static int give_last(struct modules *m, struct bh_err *err)
{
	bool have = m->have_last;
	m->have_last = false;
	return have ? pkg_go_module(&m->last, &in_binary, m->offset, m->notes, err) : 0;
}

static int on_line(struct modules *m, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice word, path, version, rest, ldflags = BH_SLICE_LIT("-ldflags=");
	(void)bh_slice_cut(line, '\t', &word, &rest);
	(void)bh_slice_cut(rest, '\t', &path, &version);
	(void)bh_slice_cut(version, '\t', &version, &rest);
	if (bh_slice_eq_str(word, "=>")) {
		struct pkg_go_module *replaced = m->have_last ? &m->last : &m->main;
		replaced->new_path = path;
		replaced->new_version = version;
		return 0;
	}
	int rc = give_last(m, err);
	if (bh_slice_eq_str(word, "dep")) {
		m->last = (struct pkg_go_module){ .path = path, .version = version };
		m->have_last = true;
	} else if (bh_slice_eq_str(word, "mod")) {
		m->main = (struct pkg_go_module){ .path = path, .version = version };
	} else if (bh_slice_eq_str(word, "build") && bh_slice_starts(path, ldflags)) {
		m->flags = bh_slice_sub(path, ldflags.len, path.len);
	}
	return rc;
}

/* The version at the front of s, empty when there is none: "v1.2.3", "1.2.3-rc1+meta"; behind it stand quotes of quotes. */
static struct bh_slice release_of(struct bh_slice s)
{
	static const char more[] = ".+-_";
	size_t i = s.len && s.ptr[0] == 'v' ? 1 : 0, dots = 0, digits = 0;
	for (; i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.'); i++) {
		dots += s.ptr[i] == '.';
		digits += s.ptr[i] != '.';
	}
	while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || ((s.ptr[i] | 0x20) >= 'a' && (s.ptr[i] | 0x20) <= 'z') ||
			     (s.ptr[i] && strchr(more, s.ptr[i]))))
		i++;
	return dots >= 1 && digits > dots && i < RELEASE_BYTES_MAX ? bh_slice_sub(s, 0, i) : (struct bh_slice){ 0 };
}

/* -X importpath.name=value: does the name end with "version"? */
static bool names_version(struct bh_slice name)
{
	struct bh_slice version = BH_SLICE_LIT("version");
	if (name.len < version.len)
		return false;
	struct bh_slice end = bh_slice_sub(name, name.len - version.len, version.len);
	for (size_t i = 0; i < end.len; i++)
		if ((end.ptr[i] | 0x20) != version.ptr[i])
			return false;
	return true;
}

/*
 * Builds outside of version control, or by hand, have no version of the main module, but projects set it through the linker:
 * -X main.version=1.2.3, -X k8s.io/component-base/version.gitVersion=v1.30.1. A variable of package main or of the module itself counts
 * before those of others, which may hold the version of something else.
 */
static struct bh_slice version_in_flags(struct bh_slice flags, struct bh_slice module)
{
	struct bh_slice word, name, value, best = { 0 };
	bool sure = false;
	while (flags.len && !sure) {
		(void)bh_slice_cut(flags, ' ', &word, &flags);
		while (word.len && (word.ptr[0] == '"' || word.ptr[0] == '\'' || word.ptr[0] == '\\'))
			word = bh_slice_sub(word, 1, word.len);
		if (bh_slice_starts(word, BH_SLICE_LIT("-X=")))
			word = bh_slice_sub(word, 3, word.len);
		if (!bh_slice_cut(word, '=', &name, &value) || !names_version(name) || release_of(value).len == 0)
			continue;
		value = release_of(value);
		sure = bh_slice_starts(name, BH_SLICE_LIT("main.")) || bh_slice_starts(name, module);
		if (sure || best.len == 0)
			best = value;
	}
	return best;
}

static int give_main(struct modules *m, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_go_module *main = &m->main;
	if (main->path.len == 0) /* built without modules, or a command of Go itself */
		return 0;
	bool unknown = main->version.len == 0 || bh_slice_eq_str(main->version, "(devel)") || bh_slice_starts(main->version, BH_SLICE_LIT("v0.0.0-"));
	struct bh_slice hint = unknown ? version_in_flags(m->flags, main->path) : (struct bh_slice){ 0 };
	if (hint.len && hint.ptr[0] == 'v') {
		main->version = hint;
	} else if (hint.len) { /* Go's versions begin with "v" */
		char *text = bh_arena_printf(scratch, "v%.*s", BH_SLICE_FMT(hint));
		if (!text)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
		main->version = bh_slice_str(text);
	}
	return pkg_go_module(main, &in_binary, m->offset, m->notes, err);
}

static int read_modules(struct bh_slice text, uint64_t offset, struct pkg_notes *notes, struct bh_arena *scratch, struct bh_err *err)
{
	struct modules m = { .notes = notes, .offset = offset };
	bool marked = text.len > 2 * MARK_BYTES && text.ptr[text.len - MARK_BYTES - 1] == '\n';
	struct bh_reader r = bh_reader_of(marked ? bh_slice_sub(text, MARK_BYTES, text.len - 2 * MARK_BYTES) : (struct bh_slice){ 0 });
	struct bh_slice line;
	int rc = 0;
	if (text.len && !marked)
		return pkg_note(notes, offset, err, "the Go linker's list of modules is damaged");
	while (rc == 0 && bh_take_line(&r, &line))
		rc = on_line(&m, line, err);
	rc = rc < 0 ? rc : give_last(&m, err);
	return rc < 0 ? rc : give_main(&m, scratch, err);
}

/* UPX puts "UPX!" behind the headers of segments, and near the end of the file. */
static bool is_packed(const struct bh_elf *elf)
{
	static const char magic[] = "UPX!";
	uint64_t behind = elf->segments_at + (uint64_t)elf->n_segments * (elf->wide ? 56 : 32);
	struct bh_slice tail = bh_slice_sub(elf->file, elf->file.len > UPX_TAIL_BYTES ? elf->file.len - UPX_TAIL_BYTES : 0, UPX_TAIL_BYTES);
	if (elf->n_sections)
		return false;
	return (behind < elf->file.len && bh_slice_eq_str(bh_slice_sub(elf->file, (size_t)behind + 4, 4), magic)) ||
	       bh_slice_search(tail, magic);
}

static int go_binary_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct pkg_notes notes = { .sink = sink };
	struct bh_elf elf;
	struct bh_slice header = { 0 };
	struct build_info info = { 0 };
	if (bh_elf_open(file->data, &elf, NULL) < 0)
		return 0; /* elf_note tells */
	if (!find_header(&elf, &header)) {
		if (is_packed(&elf))
			return pkg_note(&notes, 0, err, "packed executable (UPX), its contents are not listed");
		return 0;
	}
	uint64_t offset = (uint64_t)(header.ptr - file->data.ptr);
	if (!read_header(&elf, header, &info) || info.go_version.len == 0)
		return pkg_note(&notes, offset, err, "the Go linker's build information is damaged");
	int rc = pkg_go_stdlib(info.go_version, &in_binary, &notes, err);
	rc = rc < 0 ? rc : read_modules(info.modules, offset, &notes, scratch, err);
	return rc < 0 ? rc : pkg_notes_end(&notes, offset, err);
}

const struct pkg_parser pkg_parser_go_binary = {
	.name = "go_binary",
	.type = "golang",
	.wants = go_binary_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = go_binary_parse,
};
