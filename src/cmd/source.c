/* source.c: see source.h. */
#include "cmd/source.h"

#include "base/buf.h"

#include <unistd.h>

struct registry_options cmd_registry_options(const struct cmd_args *args)
{
	struct registry_options o = { .insecure = cmd_flag(args, "insecure"), .quiet = cmd_flag(args, "quiet") };
	o.n_mirrors = cmd_list(args, "registry-mirror", &o.mirrors);
	o.n_ca_files = cmd_list(args, "ca-file", &o.ca_files);
	return o;
}

void cmd_tell_source(const char *text)
{
	struct bh_buf line;
	bh_buf_init(&line, 8192);
	bh_buf_add_escaped(&line, bh_slice_str(text));
	bh_buf_add_byte(&line, '\n');
	ssize_t n = write(STDERR_FILENO, line.ptr, line.len);
	(void)n; /* whoever closed stderr does not want to know */
	bh_buf_done(&line);
}
