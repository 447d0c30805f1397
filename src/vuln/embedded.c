/*
 * embedded.c: data/ as a database inside the program. tools/embed-facts made the file; the assembler copies it into read-only
 * data, page-aligned like a mapped one. The generated header names it, and carries its digest so that a change rebuilds this object.
 */
#include "vuln/embedded.h"

#include "vuln/facts.h" /* made by the build: FACTS_PATH */

__asm__(".pushsection .rodata\n"
	"	.balign 4096\n"
	"	.globl bh_embedded_facts\n"
	"	.hidden bh_embedded_facts\n"
	"bh_embedded_facts:\n"
	"	.incbin \"" FACTS_PATH "\"\n"
	"	.globl bh_embedded_facts_end\n"
	"	.hidden bh_embedded_facts_end\n"
	"bh_embedded_facts_end:\n"
	"	.byte 0\n"
	"	.popsection\n");

extern const uint8_t bh_embedded_facts[], bh_embedded_facts_end[];

bool vuln_embedded(struct bh_slice *ret)
{
	/* As integers: to the compiler the two labels are unrelated objects. */
	size_t n = (size_t)((uintptr_t)bh_embedded_facts_end - (uintptr_t)bh_embedded_facts);
	if (n == 0)
		return false;
	*ret = (struct bh_slice){ bh_embedded_facts, n };
	return true;
}
