/* index.c: see index.h. The child gets the file's descriptor by asking and sends entries one by one. */
#include "update/index.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "format/stream.h"
#include "format/xml.h"
#include "model/wire.h"
#include "sys/child.h"
#include "sys/files.h"

#include <ctype.h>

#define PLAIN_BYTES_MAX (1ull << 30)
#define LINE_BYTES_MAX 4096u
#define NAME_BYTES_MAX 1024u
#define STAMP_BYTES 19u /* 2026-11-24T10:00:00 */
#define SHA256_DIGITS 64u

enum message { INDEX_OPEN = 1, INDEX_ENTRY, INDEX_NEWEST };

struct child {
	enum update_index_kind kind;
	struct bh_slice since;
	struct bh_channel *ch;
	struct bh_buf line;
	char newest[STAMP_BYTES];
	size_t newest_len;
	bool done;
	struct bh_slice type, href, checksum; /* repomd.xml; in texts */
	struct bh_arena texts;
};

struct parent {
	struct child child; /* what the child starts with; it works on its own copy */
	int fd;
	struct update_index *x;
};

/* ---- the child ---- */

static bool is_name(struct bh_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum(name.ptr[i]) && (name.ptr[i] == 0 || !strchr("._:-+~/%@=?&", name.ptr[i])))
			return false;
	return name.len > 0 && name.len <= NAME_BYTES_MAX && name.ptr[0] != '/' && !bh_slice_search(name, "..");
}

static int send(struct child *c, enum message type, struct bh_slice name, struct bh_slice stamp, struct bh_err *err)
{
	struct bh_buf b;
	bh_buf_init(&b, BH_FRAME_BYTES_MAX);
	bh_wire_put_slice(&b, name);
	bh_wire_put_slice(&b, stamp);
	int rc = b.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : bh_channel_send(c->ch, (uint16_t)type, bh_buf_slice(&b), err);
	bh_buf_done(&b);
	return rc;
}

static struct bh_slice without_quotes(struct bh_slice s)
{
	s = bh_slice_trim(s);
	bool quoted = s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';
	return quoted ? bh_slice_sub(s, 1, s.len - 2) : s;
}

static int take_change(struct child *c, struct bh_slice name, struct bh_slice stamp, struct bh_err *err)
{
	stamp = bh_slice_sub(stamp, 0, STAMP_BYTES);
	if (!is_name(name) || stamp.len < STAMP_BYTES || !isdigit(stamp.ptr[0]))
		return bh_fail(err, BH_EMALFORMED, 0, "a line that names no file and time: %.*s", BH_SLICE_FMT(bh_slice_sub(name, 0, 80)));
	struct bh_slice newest = { (const uint8_t *)c->newest, c->newest_len };
	if (bh_slice_cmp(stamp, newest) > 0) {
		memcpy(c->newest, stamp.ptr, STAMP_BYTES);
		c->newest_len = STAMP_BYTES;
	}
	return bh_slice_cmp(stamp, c->since) > 0 ? send(c, INDEX_ENTRY, name, stamp, err) : 0;
}

static int take_line(struct child *c, struct bh_slice line, struct bh_err *err)
{
	struct bh_slice first, second;
	line = bh_slice_trim(line);
	if (line.len == 0 || c->done)
		return 0;
	if (c->kind == UPDATE_INDEX_LINE) {
		c->done = true;
		(void)bh_slice_cut(line, ' ', &first, &second);
		return is_name(first) ? send(c, INDEX_ENTRY, first, second, err) : bh_fail(err, BH_EMALFORMED, 0, "its first line is no name");
	}
	if (!bh_slice_cut(line, ',', &first, &second))
		return bh_fail(err, BH_EMALFORMED, 0, "a line without a comma: %.*s", BH_SLICE_FMT(bh_slice_sub(line, 0, 80)));
	first = without_quotes(first);
	second = without_quotes(second);
	return c->kind == UPDATE_INDEX_OSV ? take_change(c, second, first, err) : take_change(c, first, second, err);
}

static int take_bytes(struct child *c, struct bh_slice bytes, struct bh_err *err)
{
	int rc = 0;
	while (rc == 0 && bytes.len) {
		size_t end = bh_slice_find(bytes, '\n');
		if (!bh_buf_add(&c->line, bh_slice_sub(bytes, 0, end)))
			return bh_fail(err, BH_EMALFORMED, 0, "a line of more than %u bytes", LINE_BYTES_MAX);
		if (end == bytes.len)
			break;
		rc = take_line(c, bh_buf_slice(&c->line), err);
		bh_buf_clear(&c->line);
		bytes = bh_slice_sub(bytes, end + 1, bytes.len);
	}
	return rc;
}

static int read_lines(struct child *c, struct bh_stream *s, struct bh_err *err)
{
	struct bh_slice got = { 0 };
	int rc;
	while ((rc = bh_stream_read(s, &got, err)) == 0 && got.len)
		if ((rc = take_bytes(c, got, err)) < 0)
			return rc;
	return rc < 0 ? rc : take_line(c, bh_buf_slice(&c->line), err);
}

/* <data type="updateinfo"> <checksum type="sha256">... <location href="repodata/...-updateinfo.xml.gz"/> */
static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct child *c = ctx;
	bool good = true;
	if (bh_slice_eq_str(e->name, "data")) {
		good = bh_arena_copy(&c->texts, bh_xml_attribute(e, "type"), &c->type);
		c->href = c->checksum = (struct bh_slice){ 0 };
	} else if (bh_slice_eq_str(e->name, "location")) {
		good = bh_arena_copy(&c->texts, bh_xml_attribute(e, "href"), &c->href);
	}
	return good ? 0 : bh_fail(err, BH_ELIMIT, 0, "larger than any real one");
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct child *c = ctx;
	if (bh_slice_eq_str(e->name, "checksum") && bh_slice_trim(e->text).len == SHA256_DIGITS)
		return bh_arena_copy(&c->texts, bh_slice_trim(e->text), &c->checksum) ? 0 : bh_fail(err, BH_ELIMIT, 0, "larger than any real one");
	if (!bh_slice_eq_str(e->name, "data") || !bh_slice_eq_str(c->type, "updateinfo"))
		return 0;
	if (!is_name(c->href))
		return bh_fail(err, BH_EMALFORMED, 0, "it does not say where updateinfo is");
	return send(c, INDEX_ENTRY, c->href, c->checksum, err);
}

static int read_stream(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_stream_read(ctx, ret, err);
}

static int read_index(struct child *c, int fd, struct bh_err *err)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	struct bh_file_source file;
	struct bh_stream *s = NULL;
	struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	int rc = bh_file_source_init(&file, fd, 0, UINT64_MAX, true, err);
	if (rc < 0)
		return rc;
	rc = bh_stream_new(bh_file_source(&file), &limits, NULL, NULL, &s, err);
	if (rc == 0)
		rc = c->kind == UPDATE_INDEX_REPOMD ? bh_xml_read((struct bh_source){ .read = read_stream, .ctx = s }, &events, c, err) : read_lines(c, s, err);
	bh_stream_free(s);
	bh_file_source_done(&file);
	return rc;
}

static int run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	struct child *c = &((struct parent *)ctx)->child;
	struct bh_buf reply;
	BH_CLOSE int fd = -1;
	c->ch = ch;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	bh_buf_init(&c->line, LINE_BYTES_MAX);
	bh_arena_init(&c->texts, 1u << 20);
	int rc = bh_channel_call(ch, INDEX_OPEN, (struct bh_slice){ 0 }, &reply, &fd, err);
	rc = rc < 0 ? rc : read_index(c, fd, err);
	rc = rc < 0 ? rc : send(c, INDEX_NEWEST, (struct bh_slice){ (const uint8_t *)c->newest, c->newest_len }, (struct bh_slice){ 0 }, err);
	bh_arena_done(&c->texts);
	bh_buf_done(&c->line);
	bh_buf_done(&reply);
	return rc;
}

/* ---- the parent ---- */

static int take_entry(struct parent *p, struct bh_slice name, struct bh_slice stamp, struct bh_err *err)
{
	struct update_index_entry e;
	if (p->x->entries.len == UPDATE_INDEX_ENTRIES_MAX) {
		p->x->more++;
		return 0;
	}
	if (!is_name(name)) /* the child may have been taken over */
		return bh_fail(err, BH_EMALFORMED, 0, "a name that leads elsewhere");
	if (!bh_arena_copy(&p->x->arena, name, &e.name) || !bh_arena_copy(&p->x->arena, stamp, &e.stamp) || !update_index_vec_push(&p->x->entries, e))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return 0;
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice name, stamp;
	if (is_request && type == INDEX_OPEN) {
		reply->fd = p->fd;
		return 0;
	}
	if (is_request || !bh_wire_get_slice(&r, NAME_BYTES_MAX, &name) || !bh_wire_get_slice(&r, LINE_BYTES_MAX, &stamp))
		return bh_fail(err, BH_EMALFORMED, 0, "an unknown message");
	if (type == INDEX_NEWEST)
		return bh_arena_copy(&p->x->arena, bh_slice_sub(name, 0, STAMP_BYTES), &p->x->newest) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return take_entry(p, name, stamp, err);
}

int update_index_read(enum update_index_kind kind, const char *path, struct bh_slice since, struct update_index *ret, struct bh_err *err)
{
	struct parent p = { .child = { .kind = kind, .since = since }, .fd = -1, .x = ret };
	uint64_t size;
	int result = 0;
	struct bh_err child_err = { 0 };
	*ret = (struct update_index){ .entries.max = UPDATE_INDEX_ENTRIES_MAX };
	bh_arena_init(&ret->arena, 64u << 20);
	int rc = bh_open_regular(path, &p.fd, &size, err);
	if (rc < 0)
		return rc;
	struct bh_child_spec spec = { .name = "index", .run = run, .handle = handle, .ctx = &p };
	rc = bh_children_run(&spec, 1, 1, &result, &child_err, err);
	(void)close(p.fd);
	if (rc == 0 && result < 0) {
		if (err)
			*err = child_err;
		rc = bh_wrap(err, "%s", path);
	}
	return rc;
}

void update_index_done(struct update_index *x)
{
	update_index_vec_done(&x->entries);
	bh_arena_done(&x->arena);
}
