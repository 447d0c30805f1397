/*
 * harden_probe: what the analysis of programs says, for comparisons with other programs.
 *
 *   harden_probe numbers FILE    numbers of system calls in the whole file, then calls that could not be decided, then flags
 *   harden_probe steps FILE      every instruction of .text: address, length, and where it jumps or calls, 0: nowhere that it says
 */
#include "format/elf.h"
#include "harden/code.h"
#include "harden/step.h"
#include "sys/files.h"

#include <inttypes.h>
#include <stdio.h>

static int numbers(struct bh_slice file, struct bh_err *err)
{
	struct binary b;
	int rc = code_read(file, &b, err);
	for (size_t i = 0; rc == 0 && i < b.numbers.len; i++)
		printf("number %u node %u\n", b.numbers.ptr[i].number, b.numbers.ptr[i].node);
	for (size_t i = 0; rc == 0 && i < b.opens.len; i++)
		printf("%s 0x%" PRIx64 "\n", b.opens.ptr[i].wrapper ? "wrapper" : "undecided", b.opens.ptr[i].address);
	for (size_t i = 0; rc == 0 && i < b.imports.len; i++)
		printf("import %.*s\n", BH_SLICE_FMT(b.imports.ptr[i]));
	if (rc == 0)
		printf("flags %u nodes %u\n", b.flags, b.n_nodes);
	binary_done(&b);
	return rc;
}

static int steps(struct bh_slice file, struct bh_err *err)
{
	struct bh_elf elf;
	struct bh_elf_section s;
	int rc = bh_elf_open(file, &elf, err);
	if (rc < 0)
		return rc;
	const struct step_machine *m = elf.machine == BH_ELF_AARCH64 ? &step_aarch64 : &step_x86_64;
	for (uint32_t i = 0; bh_elf_section_at(&elf, i, &s); i++) {
		if (!bh_slice_eq_str(s.name, ".text"))
			continue;
		struct step step;
		for (size_t pos = 0; pos < s.data.len; pos += step.length) {
			if (!m->decode(bh_slice_sub(s.data, pos, s.data.len), s.address + pos, &step)) {
				printf("%" PRIx64 " bad 0\n", s.address + pos);
				step.length = m->align_bytes;
				continue;
			}
			printf("%" PRIx64 " %u %" PRIx64 "\n", s.address + pos, step.length, step.target);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bh_slice file;
	struct bh_err err = { 0 };
	if (argc != 3) {
		fprintf(stderr, "usage: harden_probe numbers|steps FILE\n");
		return 2;
	}
	int rc = bh_map_file(argv[2], 512u << 20, &file, &err);
	if (rc < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	rc = strcmp(argv[1], "steps") == 0 ? steps(file, &err) : numbers(file, &err);
	bh_unmap(file);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	return rc < 0;
}
