/* fuzz_elf.c: any bytes as an ELF file: what is handed out lies in the file, and every walk ends. */
#include "format/elf.h"

#include <stdlib.h>

#define STEPS_MAX 200000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

static void touch(const struct bh_elf *elf, struct bh_slice s)
{
	if (s.len && (s.ptr < elf->file.ptr || s.len > elf->file.len || (size_t)(s.ptr - elf->file.ptr) > elf->file.len - s.len))
		abort();
	for (size_t i = 0; i < s.len; i += 97)
		checksum += s.ptr[i];
}

static void read_notes(const struct bh_elf *elf, struct bh_slice where)
{
	struct bh_reader r = bh_reader_of(where);
	struct bh_elf_note note;
	while (bh_elf_next_note(elf, &r, &note)) {
		touch(elf, note.name);
		touch(elf, note.content);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { ".go.buildinfo", ".dep-v0", ".note.package", "" };
	struct bh_slice file = { data, size }, found;
	struct bh_elf elf;
	struct bh_elf_segment s;
	struct bh_err err = { 0 };
	int rc = bh_elf_open(file, &elf, &err);
	if (rc < 0) {
		if (err.code != rc || err.text[0] == '\0')
			abort();
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bh_elf_section(&elf, names[i], &found)) {
			touch(&elf, found);
			read_notes(&elf, found);
		}
	for (uint32_t i = 0; i < STEPS_MAX && bh_elf_segment(&elf, i, &s); i++) {
		touch(&elf, s.data);
		if (s.type == BH_ELF_NOTE)
			read_notes(&elf, s.data);
		if (bh_elf_at(&elf, s.address, &found))
			touch(&elf, found);
	}
	return 0;
}
