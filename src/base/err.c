/* err.c: filling and wrapping the error record. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bh_err_fill(struct bh_err *err, enum bh_code code, uint64_t offset_bytes, const char *fmt, ...)
{
	if (err) {
		err->code = code;
		err->offset_bytes = offset_bytes;
		va_list ap;
		va_start(ap, fmt);
		(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

int bh_err_fill_errno(struct bh_err *err, int errno_value, const char *fmt, ...)
{
	enum bh_code code = errno_value == ENOMEM ? BH_ENOMEM : BH_EIO;
	if (!err)
		return code;
	err->code = code;
	err->offset_bytes = 0;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", strerror(errno_value));
	return code;
}

int bh_err_wrap(struct bh_err *err, const char *fmt, ...)
{
	if (!err)
		return BH_EIO;
	char inner[BH_ERR_TEXT_BYTES];
	memcpy(inner, err->text, sizeof(inner));
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %.*s", BH_ERR_TEXT_BYTES - 1, inner);
	return err->code;
}

const char *bh_code_name(enum bh_code code)
{
	switch (code) {
	case BH_OK: return "ok";
	case BH_ENOMEM: return "out-of-memory";
	case BH_EIO: return "io-error";
	case BH_ETRUNCATED: return "truncated";
	case BH_EMALFORMED: return "malformed";
	case BH_ELIMIT: return "limit-exceeded";
	case BH_EUNSUPPORTED: return "unsupported";
	case BH_ENOTFOUND: return "not-found";
	case BH_EUSAGE: return "usage";
	case BH_EMISMATCH: return "mismatch";
	case BH_ECANCELLED: return "cancelled";
	case BH_ECHILD: return "child-failed";
	}
	return "unknown";
}
