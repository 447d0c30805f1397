/*
 * err.h: what went wrong and where.
 *
 * Everything that can fail returns 0 or a negative enum bh_code and fills a struct bh_err given as the last parameter.
 * The caller owns the struct and its size is fixed, so an error path never allocates. Outputs stay untouched on failure.
 */
#ifndef BH_BASE_ERR_H
#define BH_BASE_ERR_H

#include <stdint.h>

enum bh_code {
	BH_OK = 0,
	BH_ENOMEM = -1,       /* an allocation failed */
	BH_EIO = -2,          /* the operating system said no: open, read, write, fork */
	BH_ETRUNCATED = -3,   /* the input ended too early */
	BH_EMALFORMED = -4,   /* the input breaks its format */
	BH_ELIMIT = -5,       /* the input is larger, deeper or slower than a named limit allows */
	BH_EUNSUPPORTED = -6, /* a valid input of a kind that is not handled */
	BH_ENOTFOUND = -7,    /* the thing asked for is not there */
	BH_EUSAGE = -8,       /* the user's words are off */
	BH_EMISMATCH = -9,    /* a digest or signature does not match */
	BH_ECANCELLED = -10,  /* a signal or a closed output stopped the work */
	BH_ECHILD = -11,      /* a sandboxed child died, was killed or broke its protocol */
};

#define BH_ERR_TEXT_BYTES 512

struct bh_err {
	enum bh_code code;
	uint64_t offset_bytes; /* where in the input, 0 when that means nothing */
	char text[BH_ERR_TEXT_BYTES];
};

#define BH_MUST_CHECK __attribute__((warn_unused_result))
#define BH_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* What a failing function returns: never success, whatever the code says. Inline, so that analyzers see it at every caller. */
static inline int bh_failure(int code)
{
	return code < 0 ? code : BH_EIO;
}

/* Fills *err (which may be NULL) and returns code, so that `return bh_fail(err, ...)` reads well. */
#define bh_fail(...) bh_failure(bh_err_fill(__VA_ARGS__))
int bh_err_fill(struct bh_err *err, enum bh_code code, uint64_t offset_bytes, const char *fmt, ...) BH_PRINTF(4, 5);

/* Like bh_fail, with ": strerror(errno_value)" behind the text and BH_EIO (BH_ENOMEM for ENOMEM). */
#define bh_fail_errno(...) bh_failure(bh_err_fill_errno(__VA_ARGS__))
int bh_err_fill_errno(struct bh_err *err, int errno_value, const char *fmt, ...) BH_PRINTF(3, 4);

/* Puts "context: " before the text that is already there. Returns err->code. */
#define bh_wrap(...) bh_failure(bh_err_wrap(__VA_ARGS__))
int bh_err_wrap(struct bh_err *err, const char *fmt, ...) BH_PRINTF(2, 3);

/* "ok", "truncated", "malformed" ...: a stable word for reports. */
const char *bh_code_name(enum bh_code code);

#endif
