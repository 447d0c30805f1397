/*
 * feed_java_index.c: which Maven artifact a jar is, by its SHA-1, one in a line, as GROUP:ARTIFACT:VERSION or as its place in a Maven
 * repository, which is what sha1sum prints in one:
 *
 *     b94baf5d0b29aa439dda0a5fbd99b3d69bfaefa6  org.apache.commons:commons-lang3:3.12.0
 *     b94baf5d0b29aa439dda0a5fbd99b3d69bfaefa6  ./org/apache/commons/commons-lang3/3.12.0/commons-lang3-3.12.0.jar
 *
 * They become entries of the table "java-archive"; vuln/archive.c looks there.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "format/lines.h"
#include "vuln/feed.h"

#include <inttypes.h>

#define LINE_BYTES_MAX 4096u
#define SHA1_DIGITS 40u

static bool is_hex(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
			return false;
	return true;
}

/* "SHA1  NAME", "SHA1 *NAME" (sha1sum of binary files) */
static bool split(struct bh_slice line, struct bh_slice *sha1, struct bh_slice *name)
{
	*sha1 = bh_slice_sub(line, 0, SHA1_DIGITS);
	*name = bh_slice_trim(bh_slice_sub(line, SHA1_DIGITS, line.len));
	if (name->len && name->ptr[0] == '*')
		*name = bh_slice_sub(*name, 1, name->len);
	return sha1->len == SHA1_DIGITS && is_hex(*sha1) && name->len && (line.ptr[SHA1_DIGITS] == ' ' || line.ptr[SHA1_DIGITS] == '\t');
}

static bool sniff(struct bh_slice head)
{
	struct bh_slice line, sha1, name;
	do {
		(void)bh_slice_cut(head, '\n', &line, &head);
	} while (head.len && line.len && line.ptr[0] == '#');
	return split(line, &sha1, &name) && (bh_slice_find(name, ':') < name.len || bh_slice_ends(name, BH_SLICE_LIT(".jar")));
}

/* The last part of a path, which loses it. */
static struct bh_slice take_last(struct bh_slice *path)
{
	size_t at = path->len;
	while (at && path->ptr[at - 1] != '/')
		at--;
	struct bh_slice last = bh_slice_sub(*path, at, path->len);
	path->len = at ? at - 1 : 0;
	return last;
}

/* ./org/apache/commons/commons-lang3/3.12.0/commons-lang3-3.12.0.jar -> org.apache.commons:commons-lang3:3.12.0 */
static bool of_repository(struct bh_slice path, struct bh_buf *out)
{
	static const char folder[] = "/repository/";
	const uint8_t *local = bh_slice_search(path, folder);
	if (local)
		path = bh_slice_sub(path, (size_t)(local - path.ptr) + strlen(folder), path.len);
	while (path.len && (path.ptr[0] == '.' || path.ptr[0] == '/'))
		path = bh_slice_sub(path, 1, path.len);
	struct bh_slice file = take_last(&path), version = take_last(&path), artifact = take_last(&path);
	if (version.len == 0 || path.len == 0 || !bh_slice_starts(file, artifact))
		return false;
	for (size_t i = 0; i < path.len; i++)
		(void)bh_buf_add_byte(out, path.ptr[i] == '/' ? '.' : path.ptr[i]);
	return bh_buf_printf(out, ":%.*s:%.*s", BH_SLICE_FMT(artifact), BH_SLICE_FMT(version)) && !out->failed;
}

static bool is_coordinates(struct bh_slice name)
{
	struct bh_slice group, artifact, version;
	return bh_slice_cut(name, ':', &group, &artifact) && bh_slice_cut(artifact, ':', &artifact, &version) && group.len && artifact.len &&
	       version.len && bh_slice_find(version, ':') == version.len && bh_slice_find(name, '/') == name.len;
}

static int add_line(struct vuln_feed_run *run, struct bh_slice line, uint64_t number, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_slice sha1, name;
	bh_buf_init(&text, LINE_BYTES_MAX);
	vuln_feed_record(run);
	if (!split(line, &sha1, &name))
		return bh_fail(err, BH_EMALFORMED, 0, "line %" PRIu64 ": not \"SHA1 GROUP:ARTIFACT:VERSION\"", number);
	if (!is_coordinates(name)) {
		if (!of_repository(name, &text)) {
			vuln_feed_note(run, VULN_FEED_SKIPPED, "files that are no artifacts of a Maven repository", name);
			return 0;
		}
		name = bh_buf_slice(&text);
	}
	run->counts.rows++;
	return vuln_builder_entry(run->builder, run->source, BH_SLICE_LIT("java-archive"), sha1, name, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	struct bh_lines l;
	struct bh_slice line;
	int rc = 0;
	bh_lines_init(&l, plain, LINE_BYTES_MAX);
	while (rc == 0 && (rc = bh_lines_next(&l, &line, err)) == 1)
		rc = line.len && line.ptr[0] != '#' ? add_line(run, line, l.number, err) : 0;
	bh_lines_done(&l);
	return rc;
}

static const char *const suffixes[] = { ".sha1sum", NULL };

const struct vuln_feed vuln_feed_java_index = {
	.name = "java_index",
	.source = "java-index",
	.summary = "SHA-1 of jars and the Maven artifacts that they are (lines, as sha1sum prints in a repository)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
