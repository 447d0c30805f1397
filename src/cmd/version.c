/*
 * version.c: `bulkhead version` says what this program is; `bulkhead version compare --scheme S` orders pairs of package
 * versions from standard input as the matcher does, so that anyone can check our order against a distribution's tool;
 * `bulkhead version contains --syntax S` tells whether versions lie in ranges, as the ecosystem's package manager would.
 */
#include "cmd/output.h"
#include "version/ranges.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#define LINE_BYTES_MAX (4u << 20)   /* versions of any length must stay cheap: far more than real ones have */
#define READ_BYTES (64u << 10)

#define RANGE_MEMORY_BYTES_MAX (1u << 20) /* for one range: its bounds */

enum { COMPARE, CONTAINS }; /* in verbs */
static const struct cmd_verb verbs[] = { [COMPARE] = { .name = "compare" }, [CONTAINS] = { .name = "contains" }, { 0 } };
static const char *const schemes[] = {
#define VERSION_SCHEME(name) #name,
#include "version/schemes.def"
#undef VERSION_SCHEME
	NULL,
};
static const char *const syntaxes[] = {
#define VERSION_RANGES(name) #name,
#include "version/ranges.def"
#undef VERSION_RANGES
	NULL,
};

/* One of the two is set. */
struct question {
	const struct version_scheme *scheme;
	const struct version_range_syntax *syntax;
};

static const struct cmd_option options[] = {
	{ .name = "scheme", .kind = CMD_CHOICE, .argument = "SCHEME", .help = "whose order `compare` follows", .default_text = "dpkg",
	  .choices = schemes, .not_in_config = true },
	{ .name = "syntax", .kind = CMD_CHOICE, .argument = "SYNTAX", .help = "how the ranges of `contains` are written",
	  .default_text = "npm", .choices = syntaxes, .not_in_config = true },
	{ 0 },
};

static const char details[] =
	"`bulkhead version compare` reads lines \"A B\" and prints <, = or > for each: how A stands to B.\n"
	"It prints ? where the scheme's own tool refuses one of the two, or where a line does not hold two versions.\n"
	"\n"
	"`bulkhead version contains` reads lines \"VERSION RANGE\" and prints y, n or ? for each: does the range hold the version?\n";

/* Two words; the line may have blanks around them. */
static bool split_pair(struct bh_slice line, struct bh_slice *a, struct bh_slice *b)
{
	line = bh_slice_trim(line);
	if (!bh_slice_cut(line, ' ', a, b) && !bh_slice_cut(line, '\t', a, b))
		return false;
	*b = bh_slice_trim(*b);
	return a->len && b->len && bh_slice_find(*b, ' ') == b->len;
}

static const char *compare_line(const struct version_scheme *scheme, struct bh_slice line)
{
	struct bh_slice a, b;
	int order;
	if (!split_pair(line, &a, &b) || scheme->compare(a, b, &order, NULL) < 0)
		return "?\n";
	return order < 0 ? "<\n" : order > 0 ? ">\n" : "=\n";
}

/* The range is all behind the first blank. */
static const char *ask_range(const struct version_range_syntax *syntax, struct bh_slice line)
{
	struct bh_slice version, text;
	struct bh_arena arena;
	struct version_range range;
	bool yes = false;
	if (!bh_slice_cut(line, '\t', &version, &text) && !bh_slice_cut(line, ' ', &version, &text))
		return "?\n";
	bh_arena_init(&arena, RANGE_MEMORY_BYTES_MAX);
	int rc = version_range_parse(syntax, text, &arena, &range, NULL);
	rc = rc == 0 ? version_range_contains(&range, version, &yes, NULL) : rc;
	bh_arena_done(&arena);
	return rc < 0 ? "?\n" : yes ? "y\n" : "n\n";
}

static const char *answer(const struct question *q, struct bh_slice line)
{
	assert(q->syntax || q->scheme);
	return q->syntax ? ask_range(q->syntax, line) : compare_line(q->scheme, line);
}

/* Answers every finished line of `in` and leaves the unfinished one in it. */
static int answer_lines(const struct question *q, struct bh_buf *in, struct bh_err *err)
{
	struct bh_buf out;
	bh_buf_init(&out, 2 * LINE_BYTES_MAX);
	struct bh_slice rest = bh_buf_slice(in), line;
	while (bh_slice_find(rest, '\n') < rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		bh_buf_add_str(&out, answer(q, line));
	}
	if (rest.len)
		memmove(in->ptr, rest.ptr, rest.len);
	in->len = rest.len;
	int rc = cmd_write(STDOUT_FILENO, &out, err);
	bh_buf_done(&out);
	return rc;
}

static int answer_stdin(const struct question *q, struct bh_buf *in, struct bh_err *err)
{
	for (;;) {
		if (!bh_buf_reserve(in, READ_BYTES))
			return bh_fail(err, BH_ELIMIT, 0, "standard input: a line of more than %u bytes", LINE_BYTES_MAX - READ_BYTES);
		ssize_t n = read(STDIN_FILENO, in->ptr + in->len, READ_BYTES);
		if (n < 0 && errno != EINTR)
			return bh_fail_errno(err, errno, "standard input");
		if (n > 0)
			in->len += (size_t)n;
		if (n == 0 && in->len)
			bh_buf_add_byte(in, '\n');
		int rc = n >= 0 ? answer_lines(q, in, err) : 0;
		if (rc < 0 || n == 0)
			return rc;
	}
}

static int print_version(struct bh_buf *out, struct bh_err *err)
{
	bh_buf_add_str(out, "bulkhead " BH_VERSION "\n");
	return cmd_write(STDOUT_FILENO, out, err);
}

static int run(const struct cmd_args *args)
{
	const char *const *targets;
	struct bh_err err;
	struct bh_buf buf;
	bh_buf_init(&buf, LINE_BYTES_MAX);
	int rc;
	struct question q = { 0 };
	if (cmd_targets(args, &targets) == 0) {
		rc = print_version(&buf, &err);
	} else {
		if (strcmp(targets[0], verbs[CONTAINS].name) == 0)
			q.syntax = version_ranges_find(bh_slice_str(syntaxes[cmd_choice(args, "syntax")]));
		else
			q.scheme = version_scheme_find(bh_slice_str(schemes[cmd_choice(args, "scheme")]));
		rc = answer_stdin(&q, &buf, &err);
	}
	bh_buf_done(&buf);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

const struct cmd_command cmd_command_version = {
	.name = "version",
	.usage = "[compare --scheme SCHEME | contains --syntax SYNTAX]",
	.summary = "Print the version; compare package versions and ranges",
	.options = options,
	.max_targets = 1,
	.verbs = verbs,
	.details = details,
	.run = run,
};
