/* fuzz_comply_framework.c: any input as a framework of the user's own. One that is taken has controls with ids, titles and what decides them. */
#include "comply/framework_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_arena arena;
	struct comply_framework f;
	struct bh_err err = { 0 };
	bh_arena_init(&arena, 64u << 20);
	if (comply_framework_parse((struct bh_slice){ data, size }, "f.tsv", &arena, &f, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
	} else {
		if (f.n_controls == 0 || !f.name || !f.applies_to)
			abort();
		for (size_t i = 0; i < f.n_controls; i++) {
			const struct comply_control *c = &f.controls[i];
			if (!c->id[0] || !c->title[0] || (c->how == COMPLY_MANUAL) != (c->n_checks == 0) || (c->how == COMPLY_DECIDED) != !c->note[0])
				abort();
			for (size_t k = 0; k < c->n_checks; k++)
				if (!c->checks[k].id[0])
					abort();
		}
	}
	bh_arena_done(&arena);
	return 0;
}
