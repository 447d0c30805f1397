/* rpm.c: see rpm.h. */
#include "harden/rpm.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "format/rpm_header.h"
#include "format/sqlite_db.h"
#include "format/sqlite_edit.h"
#include "harden/removable.h"
#include "sys/child.h"

#define FOLDERS_MAX 200000u
#define NAMES_MAX 10000u
#define PIECE_BYTES (BH_FRAME_BYTES_MAX / 2)

enum { SAY_PIECE = 1 };

BH_VEC(folder_vec, struct bh_slice)
BH_VEC(key_vec, struct bh_slice)

/* ---- which files they have ---- */

static bool has_line_end(struct bh_slice s)
{
	return bh_slice_find(s, '\n') < s.len;
}

static int read_folders(const struct bh_rpm_header *h, struct folder_vec *out, struct bh_err *err)
{
	struct bh_rpm_strings names;
	struct bh_slice name;
	if (!bh_rpm_header_strings(h, BH_RPM_DIRNAMES, &names))
		return 0;
	while (bh_rpm_strings_next(&names, &name))
		if (!folder_vec_push(out, name))
			return bh_fail(err, BH_ELIMIT, 0, "a package has more than %u folders", FOLDERS_MAX);
	return 0;
}

/* "/usr/bin/" as apk has it: without slashes around it. */
static void put_folder(struct bh_slice folder, struct bh_buf *out)
{
	while (folder.len && folder.ptr[0] == '/')
		folder = bh_slice_sub(folder, 1, folder.len);
	while (folder.len && folder.ptr[folder.len - 1] == '/')
		folder.len--;
	bh_buf_printf(out, "F:%.*s\n", BH_SLICE_FMT(folder));
}

static int put_files(const struct bh_rpm_header *h, struct bh_buf *out, struct bh_err *err)
{
	struct folder_vec folders = { .max = FOLDERS_MAX };
	struct bh_rpm_strings bases;
	struct bh_rpm_numbers indexes;
	struct bh_slice base;
	uint32_t at, last = UINT32_MAX;
	int rc = read_folders(h, &folders, err);
	bool has = rc == 0 && bh_rpm_header_strings(h, BH_RPM_BASENAMES, &bases) && bh_rpm_header_numbers(h, BH_RPM_DIRINDEXES, &indexes);
	while (has && bh_rpm_strings_next(&bases, &base) && bh_rpm_numbers_next(&indexes, &at)) {
		if (at >= folders.len || base.len == 0 || has_line_end(base) || has_line_end(folders.ptr[at]))
			continue;
		if (at != last)
			put_folder(folders.ptr[at], out);
		last = at;
		bh_buf_printf(out, "R:%.*s\n", BH_SLICE_FMT(base));
	}
	folder_vec_done(&folders);
	return rc;
}

static int list_package(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	struct bh_buf *out = ctx;
	struct bh_rpm_header h;
	struct bh_slice name;
	(void)offset_bytes, (void)key;
	int rc = bh_rpm_header_open(value, &h, err);
	if (rc < 0 || !bh_rpm_header_string(&h, BH_RPM_NAME, &name) || !removable_package(name))
		return rc;
	bh_buf_printf(out, "P:%.*s\n", BH_SLICE_FMT(name));
	rc = put_files(&h, out, err);
	bh_buf_add_byte(out, '\n');
	return rc < 0 || !out->failed ? rc : bh_fail(err, BH_ELIMIT, 0, "the packages have more files than are listed");
}

static int refuse_damage(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	(void)ctx;
	return bh_fail(err, BH_EMALFORMED, offset_bytes, "rpm's database is damaged: %s", reason);
}

int rpm_list(struct bh_slice db, struct bh_buf *out, struct bh_err *err)
{
	const struct bh_record_sink sink = { list_package, refuse_damage, out };
	return bh_sqlite_each(db, (struct bh_slice){ 0 }, "Packages", "blob", &sink, err);
}

/* ---- without them ---- */

struct job {
	struct bh_slice db;
	const struct bh_map *packages;
	struct bh_buf *out; /* the parent's */
};

static int edit(const struct job *job, struct bh_buf *out, struct bh_err *err)
{
	struct key_vec names = { .max = NAMES_MAX };
	uint64_t rows = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < job->packages->len; i++)
		if (!key_vec_push(&names, job->packages->entries[i].key))
			rc = bh_fail(err, BH_ELIMIT, 0, "more than %u packages", NAMES_MAX);
	rc = rc < 0 ? rc : bh_sqlite_without(job->db, "Name", "hnum", names.ptr, names.len, &rows, out, err);
	key_vec_done(&names);
	return rc < 0 || rows ? rc : bh_fail(err, BH_EMALFORMED, 0, "rpm's database has no index of its packages' names");
}

static int prepare(void *ctx, struct bh_err *err)
{
	(void)ctx, (void)err;
	bh_sqlite_prepare();
	return 0;
}

static int run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct job *job = ctx;
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	bh_buf_init(&out, job->db.len * 2 + PIECE_BYTES);
	int rc = edit(job, &out, err);
	for (size_t at = 0; rc == 0 && at < out.len; at += PIECE_BYTES)
		rc = bh_channel_send(ch, SAY_PIECE, bh_slice_sub(bh_buf_slice(&out), at, PIECE_BYTES), err);
	return rc;
}

static int take(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	const struct job *job = ctx;
	(void)reply;
	if (type != SAY_PIECE || is_request)
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	return bh_buf_add(job->out, payload) ? 0 : bh_fail(err, BH_ELIMIT, 0, "rpm's database is larger than there is memory for it");
}

int rpm_without(struct bh_slice db, const struct bh_map *packages, struct bh_buf *out, struct bh_err *err)
{
	struct job job = { db, packages, out };
	struct bh_child_spec spec = { .name = "rpm's database", .prepare = prepare, .run = run, .handle = take, .ctx = &job };
	struct bh_err why = { 0 };
	int result = 0, rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0) {
		*err = why;
		return result;
	}
	return rc;
}
