/* exceptions_edit.h: one more exception in a bulkhead.yaml that a person keeps: every other byte of it stays as it is. */
#ifndef BH_POLICY_EXCEPTIONS_EDIT_H
#define BH_POLICY_EXCEPTIONS_EDIT_H

#include "base/buf.h"
#include "model/report.h"

/*
 * Appends the new text of the file to out. BH_EUSAGE when the same id, package and path is excepted already, and where the list is
 * written in a way that can't be added to without moving things. The result was read back: it says what the old text said, and e.
 */
int policy_exceptions_add(struct bh_slice text, const char *file, const struct bh_exception *e, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
