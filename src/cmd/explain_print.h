/* explain_print.h: the texts of `bulkhead explain` for a terminal, as Markdown and as JSON. */
#ifndef BH_CMD_EXPLAIN_PRINT_H
#define BH_CMD_EXPLAIN_PRINT_H

#include "base/buf.h"
#include "cmd/explain_texts.h"

/* How a terminal gets it. */
struct explain_look {
	size_t width;
	bool colour;
};

void explain_print_text(struct bh_buf *b, const struct explain_text *t, const struct explain_look *look);
void explain_print_markdown(struct bh_buf *b, const struct explain_text *t);

/* An object; advisory: one more member "advisory" with that JSON in it, unless it is empty. */
void explain_print_json(struct bh_buf *b, const struct explain_text *t, struct bh_slice id, struct bh_slice advisory);

#endif
