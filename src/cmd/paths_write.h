/* paths_write.h: the answer of `bulkhead paths` in its formats. */
#ifndef BH_CMD_PATHS_WRITE_H
#define BH_CMD_PATHS_WRITE_H

#include "kube/ask.h"

enum paths_format { PATHS_TEXT, PATHS_JSON, PATHS_CSV, PATHS_MARKDOWN, PATHS_SVG, PATHS_HTML };

/* Rows as kube/paths.h has them. All formats but the drawing and the page. */
void paths_write(enum paths_format format, const struct kube_answer *a, struct bh_buf *out);

/* All ways to all targets as one drawing. BH_ELIMIT: there is more than anybody can look at. */
int paths_draw(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* A page with the drawing, the steps and what stops them. */
int paths_page(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
