/* format.h: "%s and %d".format([a, b]) (cel-go ext/formatting.go): %s %d %f %e %b %o %x %X with a precision, and %%. */
#ifndef CEL_FORMAT_H
#define CEL_FORMAT_H

#include "policy/cel/library.h"

struct cel_value cel_format(struct cel_run *run, struct bh_slice format, const struct cel_list *args);

#endif
