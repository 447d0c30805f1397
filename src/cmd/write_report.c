/* write_report.c: one report in as many formats as were asked for, each to standard output or to a file of its own. */
#include "cmd/explain_print.h"
#include "cmd/output.h"

#include "base/cleanup.h"
#include "model/report.h"
#include "report/writer.h"
#include "sys/files.h"
#include "version/version.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT_BYTES_MAX (1024u << 20) /* as much as a report may hold in memory */
#define REPORT_MODE 0644u
#define PATH_BYTES_MAX 8192u

const char *const cmd_format_names[] = {
#define WRITER(name) #name,
#include "report/writers.def"
#undef WRITER
	NULL,
};

const char *const cmd_sbom_format_names[] = {
#define WRITER(name)
#define SBOM_WRITER(name) #name,
#include "report/writers.def"
#undef WRITER
	NULL,
};

/* One output: "json" or "json=FILE", with -o's file where that was given. */
struct output {
	const struct report_writer *writer;
	const char *path; /* NULL = standard output */
};

static const char *path_or_stdout(const char *path)
{
	return path && strcmp(path, "-") == 0 ? NULL : path;
}

static size_t count_outputs(const struct cmd_args *args)
{
	const char *const *formats;
	return cmd_list(args, "format", &formats);
}

static struct output output_at(const struct cmd_args *args, size_t i)
{
	const char *const *formats;
	struct bh_slice name, file;
	(void)cmd_list(args, "format", &formats);
	bool has_file = bh_slice_cut(bh_slice_str(formats[i]), '=', &name, &file);
	const char *path = has_file ? (const char *)file.ptr : cmd_string(args, "output");
	if (bh_slice_eq_str(name, "text")) /* as commands call it that answer questions as well */
		name = BH_SLICE_LIT("table");
	return (struct output){ report_writer_find(name), path_or_stdout(path) };
}

static bool names_a_file(const struct cmd_args *args, size_t i)
{
	const char *const *formats;
	return i < cmd_list(args, "format", &formats) && strchr(formats[i], '=') != NULL;
}

int cmd_check_report(const struct cmd_args *args, struct bh_err *err)
{
	size_t n = count_outputs(args);
	if (cmd_string(args, "output") && (n > 1 || names_a_file(args, 0)))
		return bh_fail(err, BH_EUSAGE, 0, "-o goes with one -f FORMAT; write -f FORMAT=FILE for several");
	for (size_t i = 0; i < n; i++) {
		struct output a = output_at(args, i);
		if (names_a_file(args, i) && a.path && a.path[0] == '\0')
			return bh_fail(err, BH_EUSAGE, 0, "-f %s=: the name of the file is empty", a.writer->name);
		for (size_t k = 0; k < i; k++) {
			struct output b = output_at(args, k);
			if (!a.path && !b.path)
				return bh_fail(err, BH_EUSAGE, 0, "-f %s and -f %s both go to standard output; give one of them a file: -f %s=FILE",
					       b.writer->name, a.writer->name, a.writer->name);
			if (a.path && b.path && strcmp(a.path, b.path) == 0)
				return bh_fail(err, BH_EUSAGE, 0, "-f %s and -f %s both go to %s", b.writer->name, a.writer->name, a.path);
		}
	}
	return 0;
}

bool cmd_compare_versions(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret)
{
	const struct version_scheme *s = version_scheme_for_type(type);
	return s && s->compare(a, b, ret, NULL) == 0;
}

/* Of an id of its own; what is said of a whole class, such as advisories, would be said a thousand times. */
static bool explain_markdown(struct bh_slice id, struct bh_buf *markdown)
{
	const struct explain_text *t = explain_find(id);
	if (!t || !bh_slice_eq_str(id, t->id))
		return false;
	explain_print_markdown(markdown, t);
	return true;
}

static struct report_style style_for(const struct cmd_args *args, const struct output *o)
{
	size_t width = (size_t)cmd_uint(args, "width");
	struct report_style style = {
		.width = width || o->path ? width : cmd_columns(STDOUT_FILENO),
		.colour = !o->path && cmd_colour(args, STDOUT_FILENO),
		.all_packages = cmd_flag(args, "list-all-packages"),
		.licenses = cmd_flag(args, "licenses"),
		.by_layer = cmd_flag(args, "by-layer"),
		.tool_version = BH_VERSION,
		.job = { getenv("GITHUB_RUN_ID"), getenv("GITHUB_JOB"), getenv("GITHUB_SHA"), getenv("GITHUB_REF") },
		.compare_versions = cmd_compare_versions,
		.explain = explain_markdown,
	};
	return style;
}

int cmd_replace_file(const char *path, const struct bh_buf *text, struct bh_err *err)
{
	struct stat st;
	bool exists = stat(path, &st) == 0;
	char *real = exists ? realpath(path, NULL) : NULL;
	int rc = bh_write_file_atomic(real ? real : path, bh_buf_slice(text), exists ? st.st_mode & 0777u : REPORT_MODE, err);
	free(real);
	return rc;
}

int cmd_write_document(const struct cmd_args *args, const struct bh_buf *text, struct bh_err *err)
{
	const char *path = path_or_stdout(cmd_string(args, "output"));
	return path ? cmd_replace_file(path, text, err) : cmd_write(STDOUT_FILENO, text, err);
}

/* path with every %s replaced; to be freed. */
static char *path_for(const char *path, const char *name)
{
	struct bh_buf b;
	const char *at;
	bh_buf_init(&b, PATH_BYTES_MAX);
	for (; name && (at = strstr(path, "%s")); path = at + 2) {
		bh_buf_add(&b, (struct bh_slice){ (const uint8_t *)path, (size_t)(at - path) });
		bh_buf_add_str(&b, name);
	}
	bh_buf_add_str(&b, path);
	bh_buf_add_byte(&b, '\0');
	char *ret = b.failed ? NULL : strdup((const char *)b.ptr);
	bh_buf_done(&b);
	return ret;
}

static int write_to_file(const char *path, const struct cmd_place *place, const struct bh_buf *text, struct bh_err *err)
{
	char *real = path_for(path, place->name);
	int rc = real ? cmd_replace_file(real, text, err) : bh_fail(err, BH_ELIMIT, 0, "%.100s: the name is too long", path);
	free(real);
	return rc;
}

static int write_output(const struct bh_report *report, const struct cmd_args *args, const struct output *o, const struct cmd_place *place,
			struct bh_err *err)
{
	struct report_style style = style_for(args, o);
	struct bh_buf text;
	bh_buf_init(&text, REPORT_BYTES_MAX);
	int rc = o->writer->write(report, &style, &text, err);
	if (rc == 0)
		rc = o->path ? write_to_file(o->path, place, &text, err) : cmd_write(place->fd, &text, err);
	bh_buf_done(&text);
	return rc;
}

int cmd_write_report_at(const struct bh_report *report, const struct cmd_args *args, const struct cmd_place *place, struct bh_err *err)
{
	int first = cmd_check_report(args, err);
	size_t n = first < 0 ? 0 : count_outputs(args);
	for (size_t i = 0; i < n; i++) {
		struct output o = output_at(args, i);
		struct bh_err own = { 0 };
		int rc = write_output(report, args, &o, place, &own);
		if (rc < 0 && first == 0) {
			first = rc;
			*err = own;
		}
	}
	return first;
}

int cmd_write_report(const struct bh_report *report, const struct cmd_args *args, struct bh_err *err)
{
	const struct cmd_place here = { .fd = STDOUT_FILENO };
	return cmd_write_report_at(report, args, &here, err);
}
