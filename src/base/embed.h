/* embed.h: files that the build made, taken into the program as they are. Whoever does so keeps them by two labels, and gets them as a slice. */
#ifndef BH_BASE_EMBED_H
#define BH_BASE_EMBED_H

#include "base/slice.h"

/* In the file's own scope; path is a string. The bytes lie at a multiple of 64. */
#define BH_EMBED(label, path)                                                                                                                 \
	__asm__(".pushsection .rodata\n"                                                                                                      \
		"	.balign 64\n"                                                                                                         \
		"	.globl " #label "\n"                                                                                                  \
		"	.hidden " #label "\n" #label ":\n"                                                                                    \
		"	.incbin \"" path "\"\n"                                                                                               \
		"	.globl " #label "_end\n"                                                                                              \
		"	.hidden " #label "_end\n" #label "_end:\n"                                                                            \
		"	.byte 0\n"                                                                                                            \
		"	.popsection\n");                                                                                                      \
	extern const uint8_t label[], label##_end[]

/* As integers: to the compiler the labels are unrelated objects. */
#define BH_EMBEDDED(label) ((struct bh_slice){ label, (size_t)((uintptr_t)label##_end - (uintptr_t)label) })

#endif
