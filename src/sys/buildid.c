/* buildid.c: the note is part of what the loader maps, so no file is read. */
#include "sys/buildid.h"

#include <elf.h>
#include <link.h>

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static struct bh_slice find_note(const uint8_t *at, size_t left)
{
	while (left >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) head;
		memcpy(&head, at, sizeof(head));
		size_t name = padded(head.n_namesz), value = padded(head.n_descsz), whole = sizeof(head) + name + value;
		if (whole > left)
			break;
		if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof("GNU") && memcmp(at + sizeof(head), "GNU", sizeof("GNU")) == 0)
			return (struct bh_slice){ at + sizeof(head) + name, head.n_descsz };
		at += whole;
		left -= whole;
	}
	return (struct bh_slice){ 0 };
}

/* The program itself comes first. */
static int look(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct bh_slice *ret = ctx;
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && ret->len == 0; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_NOTE)
			*ret = find_note((const uint8_t *)(info->dlpi_addr + p->p_vaddr), p->p_memsz); /* NOLINT(performance-no-int-to-ptr) */
	}
	return 1;
}

struct bh_slice bh_build_id(void)
{
	struct bh_slice id = { 0 };
	(void)dl_iterate_phdr(look, &id);
	return id;
}
