/*
 * elf.c: see elf.h. Offsets, for 32 | 64 bits:
 *
 *     file header     0 "\177ELF"   4 class (1, 2)   5 byte order (1 little, 2 big)   16 type   18 machine   24 entry
 *                     28|32 segments at   32|40 sections at
 *                     42|54 size of a segment's header   44|56 how many   46|58 of a section's   48|60 how many   50|62 section of names
 *     segment         0 type   24|4 flags   4|8 offset   8|16 address   16|32 bytes in the file
 *     section         0 name   4 type   8 flags   12|16 address   16|24 offset   20|32 bytes   24|40 link
 */
#include "format/elf.h"

#define SEGMENT_BYTES(wide) ((wide) ? 56u : 32u)
#define SECTION_BYTES(wide) ((wide) ? 64u : 40u)
#define TYPE_NO_BITS 8u          /* of sections: has an address only */
#define NUMBER_ELSEWHERE 0xffffu /* more sections than 16 bits count: the first section's header says it */

bool bh_elf_take(const struct bh_elf *elf, struct bh_reader *r, size_t bytes, uint64_t *out)
{
	uint16_t two = 0;
	uint32_t four = 0;
	bool ok;
	switch (bytes) {
	case 2:
		ok = elf->big ? bh_take_u16be(r, &two) : bh_take_u16le(r, &two);
		*out = two;
		return ok;
	case 4:
		ok = elf->big ? bh_take_u32be(r, &four) : bh_take_u32le(r, &four);
		*out = four;
		return ok;
	default: return elf->big ? bh_take_u64be(r, out) : bh_take_u64le(r, out);
	}
}

/* The integer at an offset; 0 outside of the file. */
static uint64_t number_at(const struct bh_elf *elf, uint64_t offset, size_t bytes)
{
	struct bh_reader r = bh_reader_of(elf->file);
	uint64_t value = 0;
	return offset <= elf->file.len && bh_seek(&r, (size_t)offset) && bh_elf_take(elf, &r, bytes, &value) ? value : 0;
}

/* An address or offset: 4 or 8 bytes. */
static uint64_t word_at(const struct bh_elf *elf, uint64_t offset)
{
	return number_at(elf, offset, elf->wide ? 8 : 4);
}

/* What of [offset, offset + bytes) lies in the file. */
static struct bh_slice part_of(const struct bh_elf *elf, uint64_t offset, uint64_t bytes)
{
	if (offset >= elf->file.len)
		return (struct bh_slice){ 0 };
	return bh_slice_sub(elf->file, (size_t)offset, bytes > elf->file.len ? elf->file.len : (size_t)bytes);
}

/* A table of headers is there for us when all of it lies in the file and its entries have the size they must have. */
static uint32_t count_of(struct bh_elf *elf, uint64_t at, uint64_t count, uint64_t said_bytes, uint64_t bytes)
{
	if (at == 0 || count == 0)
		return 0;
	if (said_bytes != bytes || at > elf->file.len || count > (elf->file.len - at) / bytes) {
		elf->cut = true;
		return 0;
	}
	return (uint32_t)count;
}

int bh_elf_open(struct bh_slice file, struct bh_elf *ret, struct bh_err *err)
{
	struct bh_elf elf = { .file = file };
	if (file.len < 16 || !bh_slice_starts(file, BH_SLICE_LIT("\177ELF")) || file.ptr[4] < 1 || file.ptr[4] > 2 || file.ptr[5] < 1 || file.ptr[5] > 2)
		return bh_fail(err, BH_EMALFORMED, 0, "begins as ELF files do, but has no such header");
	elf.wide = file.ptr[4] == 2;
	elf.big = file.ptr[5] == 2;
	uint64_t sizes_at = elf.wide ? 54 : 42;
	if (file.len < sizes_at + 10)
		return bh_fail(err, BH_ETRUNCATED, file.len, "the ELF header is cut off");
	elf.segments_at = word_at(&elf, elf.wide ? 32 : 28);
	elf.sections_at = word_at(&elf, elf.wide ? 40 : 32);
	elf.n_segments = count_of(&elf, elf.segments_at, number_at(&elf, sizes_at + 2, 2), number_at(&elf, sizes_at, 2), SEGMENT_BYTES(elf.wide));
	uint64_t n = number_at(&elf, sizes_at + 6, 2), names = number_at(&elf, sizes_at + 8, 2);
	if (elf.sections_at && n == 0)
		n = word_at(&elf, elf.sections_at + (elf.wide ? 32 : 20));
	if (names == NUMBER_ELSEWHERE)
		names = number_at(&elf, elf.sections_at + (elf.wide ? 40 : 24), 4);
	elf.n_sections = count_of(&elf, elf.sections_at, n, number_at(&elf, sizes_at + 4, 2), SECTION_BYTES(elf.wide));
	elf.names_index = (uint32_t)names;
	elf.type = (uint16_t)number_at(&elf, 16, 2);
	elf.machine = (uint16_t)number_at(&elf, 18, 2);
	elf.entry = word_at(&elf, 24);
	*ret = elf;
	return 0;
}

static struct bh_slice section_content(const struct bh_elf *elf, uint32_t index)
{
	uint64_t at = elf->sections_at + (uint64_t)index * SECTION_BYTES(elf->wide);
	if (index >= elf->n_sections || number_at(elf, at + 4, 4) == TYPE_NO_BITS)
		return (struct bh_slice){ 0 };
	return part_of(elf, word_at(elf, at + (elf->wide ? 24 : 16)), word_at(elf, at + (elf->wide ? 32 : 20)));
}

bool bh_elf_section(const struct bh_elf *elf, const char *name, struct bh_slice *ret)
{
	struct bh_slice names = section_content(elf, elf->names_index), content;
	size_t len = strlen(name) + 1;
	for (uint32_t i = 0; i < elf->n_sections; i++) {
		uint64_t at = number_at(elf, elf->sections_at + (uint64_t)i * SECTION_BYTES(elf->wide), 4);
		if (!bh_slice_eq(bh_slice_sub(names, (size_t)at, len), (struct bh_slice){ (const uint8_t *)name, len }))
			continue;
		content = section_content(elf, i);
		if (content.len == 0)
			return false;
		*ret = content;
		return true;
	}
	return false;
}

bool bh_elf_section_at(const struct bh_elf *elf, uint32_t index, struct bh_elf_section *ret)
{
	uint64_t at = elf->sections_at + (uint64_t)index * SECTION_BYTES(elf->wide);
	if (index >= elf->n_sections)
		return false;
	struct bh_slice names = section_content(elf, elf->names_index);
	struct bh_slice name = bh_slice_sub(names, (size_t)number_at(elf, at, 4), names.len);
	*ret = (struct bh_elf_section){
		.type = (uint32_t)number_at(elf, at + 4, 4),
		.link = (uint32_t)number_at(elf, at + (elf->wide ? 40 : 24), 4),
		.flags = word_at(elf, at + 8),
		.address = word_at(elf, at + (elf->wide ? 16 : 12)),
		.name = bh_slice_sub(name, 0, bh_slice_find(name, '\0')),
		.data = section_content(elf, index),
	};
	return true;
}

bool bh_elf_segment(const struct bh_elf *elf, uint32_t index, struct bh_elf_segment *ret)
{
	uint64_t at = elf->segments_at + (uint64_t)index * SEGMENT_BYTES(elf->wide);
	if (index >= elf->n_segments)
		return false;
	ret->type = (uint32_t)number_at(elf, at, 4);
	ret->flags = (uint32_t)number_at(elf, at + (elf->wide ? 4 : 24), 4);
	ret->address = word_at(elf, at + (elf->wide ? 16 : 8));
	ret->data = part_of(elf, word_at(elf, at + (elf->wide ? 8 : 4)), word_at(elf, at + (elf->wide ? 32 : 16)));
	return true;
}

bool bh_elf_at(const struct bh_elf *elf, uint64_t address, struct bh_slice *ret)
{
	struct bh_elf_segment s;
	for (uint32_t i = 0; bh_elf_segment(elf, i, &s); i++)
		if (s.type == BH_ELF_LOAD && address >= s.address && address - s.address < s.data.len) {
			*ret = bh_slice_sub(s.data, (size_t)(address - s.address), s.data.len);
			return true;
		}
	return false;
}

/* A part of a note, followed by nothing or by bytes up to a multiple of four. */
static bool take_padded(struct bh_reader *notes, uint64_t bytes, struct bh_slice *out)
{
	if (bytes > bh_reader_left(notes) || !bh_take(notes, (size_t)bytes, out))
		return false;
	size_t padding = (4 - bytes % 4) % 4, left = bh_reader_left(notes);
	return bh_skip(notes, padding < left ? padding : left);
}

bool bh_elf_next_note(const struct bh_elf *elf, struct bh_reader *notes, struct bh_elf_note *ret)
{
	uint64_t name_bytes, content_bytes, type;
	if (!bh_elf_take(elf, notes, 4, &name_bytes) || !bh_elf_take(elf, notes, 4, &content_bytes) || !bh_elf_take(elf, notes, 4, &type) ||
	    !take_padded(notes, name_bytes, &ret->name) || !take_padded(notes, content_bytes, &ret->content))
		return false;
	if (ret->name.len && ret->name.ptr[ret->name.len - 1] == '\0')
		ret->name.len--;
	ret->type = (uint32_t)type;
	return true;
}
