/* output.c: results to stdout and files, and the exit code when that fails. */
#include "cmd/output.h"

#include "base/log.h"
#include "sys/files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int cmd_write(int fd, const struct bh_buf *b, struct bh_err *err)
{
	if (b->failed)
		return bh_fail(err, BH_ELIMIT, 0, "the output is larger than %zu bytes", b->max_bytes);
	int rc = bh_write_all(fd, bh_buf_slice(b), err);
	return rc < 0 ? bh_wrap(err, "writing the output") : 0;
}

int cmd_failed(const struct bh_err *err)
{
	bh_error("%s", err->text);
	switch (err->code) {
	case BH_EUSAGE:
	case BH_ENOTFOUND:
	case BH_EMALFORMED:
	case BH_ETRUNCATED:
	case BH_EUNSUPPORTED:
	case BH_EMISMATCH:
		return EXIT_USAGE;
	case BH_OK:
	case BH_ENOMEM:
	case BH_EIO:
	case BH_ELIMIT:
	case BH_ECANCELLED:
	case BH_ECHILD:
		return EXIT_INTERNAL;
	}
	return EXIT_INTERNAL;
}

size_t cmd_columns(int fd)
{
	struct winsize size;
	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80; /* a terminal that does not know, as every terminal once was */
}

bool cmd_colour(const struct cmd_args *args, int fd)
{
	static const char *const wanted[] = { "auto", "always", "never" };
	const char *when = wanted[cmd_choice(args, "colour")];
	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	if ((no && no[0]) || (term && strcmp(term, "dumb") == 0))
		return false;
	return isatty(fd) == 1;
}
