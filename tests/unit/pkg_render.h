/* pkg_render.h: what a package parser gives, as lines of text (see pkg_probe.c for their columns). For tests and pkg-probe. */
#ifndef BH_TESTS_PKG_RENDER_H
#define BH_TESTS_PKG_RENDER_H

#include "base/buf.h"
#include "pkg/pkg.h"

/* The parser called so, or NULL. */
const struct pkg_parser *pkg_render_find(const char *name);

/* Runs the parser on the file; lines are appended to out. Returns what parse returned. */
int pkg_render(const struct pkg_parser *parser, const struct pkg_file *file, struct bh_buf *out, struct bh_err *err);

#endif
