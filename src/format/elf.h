/*
 * elf.h: find things in an ELF file (System V gABI; 32 and 64 bits, both byte orders) without believing its headers: whatever they say,
 * answers lie inside the file. Everything is read in place.
 */
#ifndef BH_FORMAT_ELF_H
#define BH_FORMAT_ELF_H

#include "base/err.h"
#include "base/reader.h"

struct bh_elf {
	struct bh_slice file;
	uint64_t sections_at, segments_at; /* where the tables of headers are */
	uint64_t entry;                    /* address of the first instruction */
	uint32_t n_sections, n_segments, names_index;
	uint16_t type, machine;            /* BH_ELF_EXECUTABLE ...; BH_ELF_X86_64 ... */
	bool wide, big;                    /* 64 bits; big endian */
	bool cut;                          /* a table lies outside of the file: it was cut off or is damaged, and has no such table for us */
};

enum { BH_ELF_EXECUTABLE = 2, BH_ELF_SHARED = 3 };     /* types of files; shared ones are position-independent programs, too */
enum { BH_ELF_X86_64 = 62, BH_ELF_AARCH64 = 183 };     /* machines */
enum { BH_ELF_LOAD = 1, BH_ELF_DYNAMIC = 2, BH_ELF_INTERPRETER = 3, BH_ELF_NOTE = 4, BH_ELF_UNWIND = 0x6474e550 }; /* types of segments */
enum { BH_ELF_RUNS = 1, BH_ELF_WRITABLE = 2 };         /* flags of segments */
enum { BH_ELF_SYMBOLS = 2, BH_ELF_DYNAMIC_SYMBOLS = 11 }; /* types of sections */
enum { BH_ELF_SECTION_LOADED = 2, BH_ELF_SECTION_RUNS = 4 }; /* flags of sections */

struct bh_elf_segment {
	uint32_t type, flags;
	uint64_t address;
	struct bh_slice data; /* what of it lies in the file */
};

struct bh_elf_section {
	uint32_t type, link; /* link: number of the section that this one refers to */
	uint64_t flags, address;
	struct bh_slice name, data;
};

struct bh_elf_note {
	struct bh_slice name; /* without its NUL */
	uint32_t type;
	struct bh_slice content;
};

/* Fails when there is no ELF header. */
int bh_elf_open(struct bh_slice file, struct bh_elf *ret, struct bh_err *err) BH_MUST_CHECK;

/* The content of the first section of this name; false when there is none, or none with content. *ret is cut at the file's end. */
bool bh_elf_section(const struct bh_elf *elf, const char *name, struct bh_slice *ret);

/* Section number index; false behind the last. */
bool bh_elf_section_at(const struct bh_elf *elf, uint32_t index, struct bh_elf_section *ret);

/* Segment number index; false behind the last. */
bool bh_elf_segment(const struct bh_elf *elf, uint32_t index, struct bh_elf_segment *ret);

/* The bytes from this address to the end of the segment that is loaded there. */
bool bh_elf_at(const struct bh_elf *elf, uint64_t address, struct bh_slice *ret);

/* The next note of a section or segment that holds notes; false at its end or at a damaged one. */
bool bh_elf_next_note(const struct bh_elf *elf, struct bh_reader *notes, struct bh_elf_note *ret);

/* An integer of 2, 4 or 8 bytes in the byte order of the file. */
bool bh_elf_take(const struct bh_elf *elf, struct bh_reader *r, size_t bytes, uint64_t *out);

#endif
