/* vex_load.c: the parent's side of reading VEX documents: finds the files, hands their descriptors to the child, keeps what it says. */
#include "policy/vex_store.h"

#include "base/cleanup.h"
#include "model/wire.h"
#include "policy/vex_child.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STORE_BYTES_MAX (1024ull << 20)
#define STATEMENTS_MAX 4000000u
#define FILES_MAX 1000000u
#define FOLDER_DEPTH_MAX 32u
#define NAMES_BYTES_MAX (256u << 20)
#define CHILD_MEMORY_BYTES (2048ull << 20) /* 128 MB of JSON as a tree */

BH_VEC(name_vec, const char *)

struct files {
	struct bh_arena arena;
	struct name_vec names; /* full paths */
	bool folder;           /* they were found in one, not named by the user */
};

struct loading {
	struct policy_vex *vex;
	struct bh_report *report;
	const struct files *files;
	const char *from;    /* the file at work, for people */
	size_t next;
	size_t n_others;     /* files of a folder that are no VEX documents */
	int fd;              /* of bytes in memory; -1 = files */
	struct bh_err failure;
};

int policy_vex_new(struct policy_vex **ret, struct bh_err *err)
{
	struct policy_vex *v = calloc(1, sizeof(*v));
	if (!v)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	bh_arena_init(&v->arena, STORE_BYTES_MAX);
	bh_map_init(&v->by_id, STATEMENTS_MAX);
	v->statements.max = STATEMENTS_MAX;
	v->documents.max = FILES_MAX;
	*ret = v;
	return 0;
}

void policy_vex_free(struct policy_vex *v)
{
	if (!v)
		return;
	bh_map_done(&v->by_id);
	vex_stored_vec_done(&v->statements);
	bh_vex_vec_done(&v->documents);
	bh_arena_done(&v->arena);
	free(v);
}

/* ---- which files ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "too many VEX files or statements for the memory at hand");
}

static int add_file(struct files *f, const char *path, struct bh_err *err)
{
	const char *copy = bh_arena_strdup(&f->arena, bh_slice_str(path));
	return copy && name_vec_push(&f->names, copy) ? 0 : no_memory(err);
}

static int walk(struct files *f, const char *folder, unsigned depth, struct bh_err *err);

/* Links are not followed: nothing outside of the folder is read. */
static int take_entry(struct files *f, const char *path, unsigned depth, struct bh_err *err)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : bh_fail_errno(err, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return depth < FOLDER_DEPTH_MAX ? walk(f, path, depth + 1, err) : bh_fail(err, BH_ELIMIT, 0, "%s: folders deeper than %u", path, FOLDER_DEPTH_MAX);
	return S_ISREG(st.st_mode) && bh_slice_ends(bh_slice_str(path), BH_SLICE_LIT(".json")) ? add_file(f, path, err) : 0;
}

static int walk(struct files *f, const char *folder, unsigned depth, struct bh_err *err)
{
	DIR *dir = opendir(folder);
	if (!dir)
		return bh_fail_errno(err, errno, "%s", folder);
	int rc = 0;
	struct dirent *e;
	while (rc == 0 && (errno = 0, e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		const char *path = bh_arena_printf(&f->arena, "%s/%s", folder, e->d_name);
		rc = path ? take_entry(f, path, depth, err) : no_memory(err);
	}
	if (rc == 0 && errno)
		rc = bh_fail_errno(err, errno, "%s", folder);
	(void)closedir(dir);
	return rc;
}

static int list_files(struct files *f, const char *path, struct bh_err *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return bh_fail(err, BH_EUSAGE, 0, "--vex %s: %s", path, strerror(errno));
	f->folder = S_ISDIR(st.st_mode);
	if (!f->folder)
		return add_file(f, path, err);
	int rc = walk(f, path, 0, err);
	if (f->names.len > 1)
		qsort(f->names.ptr, f->names.len, sizeof(f->names.ptr[0]), compare_names);
	return rc == 0 && f->names.len == 0 ? bh_fail(err, BH_EUSAGE, 0, "--vex %s: no *.json files below it", path) : rc;
}

/* ---- what the child says ---- */

static int damaged_message(struct bh_err *err)
{
	return bh_fail(err, BH_ECHILD, 0, "the child that reads VEX documents sent a damaged message");
}

static bool keep(struct policy_vex *v, struct bh_slice *s)
{
	return bh_arena_copy(&v->arena, *s, s);
}

static int take_document(struct loading *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_vex_document d = { .from = bh_slice_str(l->from) };
	if (!bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &d.format) || !bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &d.author) ||
	    !bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &d.id) || !bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &d.date))
		return damaged_message(err);
	bool ok = keep(l->vex, &d.from) && keep(l->vex, &d.format) && keep(l->vex, &d.author) && keep(l->vex, &d.id) && keep(l->vex, &d.date) &&
		  bh_vex_vec_push(&l->vex->documents, d);
	return ok ? 0 : no_memory(err);
}

/* Statement number `index` is found under id. */
static bool index_id(struct policy_vex *v, struct bh_slice id, uint32_t index)
{
	struct vex_link *link = BH_ARENA_NEW(&v->arena, struct vex_link);
	void **slot = link ? bh_map_put(&v->by_id, id) : NULL;
	if (!slot)
		return false;
	*link = (struct vex_link){ *slot, index };
	*slot = link;
	return true;
}

static int take_statement(struct loading *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_slice ids[VEX_IDS_MAX];
	struct vex_stored s = { 0 };
	struct policy_vex *v = l->vex;
	if (!vex_get_statement(payload, &s.is, ids) || v->documents.len == 0)
		return damaged_message(err);
	s.document = (uint32_t)(v->documents.len - 1);
	s.time_s = policy_time_of(s.is.date);
	v->documents.ptr[s.document].statements++;
	bool ok = keep(v, &s.is.justification) && keep(v, &s.is.reason) && keep(v, &s.is.date) && keep(v, &s.is.product) && keep(v, &s.is.platform) &&
		  keep(v, &s.is.component);
	for (size_t i = 0; ok && i < s.is.n_ids; i++)
		ok = keep(v, &ids[i]) && index_id(v, ids[i], (uint32_t)v->statements.len);
	s.is.ids = NULL; /* the index has them */
	return ok && vex_stored_vec_push(&v->statements, s) ? 0 : no_memory(err);
}

static int take_damaged(struct loading *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice what;
	uint32_t index;
	if (!bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &what) || !bh_take_u32le(&r, &index))
		return damaged_message(err);
	bh_report_incomplete(l->report, "vex", bh_slice_str(l->from), BH_NO_LAYER, "entry %u left out: %.*s", index, BH_SLICE_FMT(what));
	return 0;
}

static int take_failed(struct loading *l, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	struct bh_slice text;
	uint8_t other;
	if (!bh_take_u8(&r, &other) || !bh_wire_get_slice(&r, VEX_TEXT_BYTES_MAX, &text))
		return damaged_message(err);
	if (other && l->files && l->files->folder) {
		l->n_others++;
		return 0;
	}
	return bh_fail(err, BH_EUSAGE, 0, "%s: %.*s", l->from, BH_SLICE_FMT(text));
}

static int next_file(struct loading *l, struct bh_child_reply *reply, struct bh_err *err)
{
	bool more = l->files ? l->next < l->files->names.len : l->fd >= 0;
	if (more && l->files) {
		uint64_t size;
		l->from = l->files->names.ptr[l->next++];
		int rc = bh_open_regular(l->from, &reply->fd, &size, err);
		if (rc < 0)
			return rc;
	} else if (more) {
		reply->fd = l->fd;
		l->fd = -1;
	}
	reply->close_fd = more;
	return bh_wire_put_u8(reply->payload, more) ? 0 : no_memory(err);
}

static int handle_message(struct loading *l, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	switch ((enum vex_message)type) {
	case VEX_ASK_NEXT: return reply ? next_file(l, reply, err) : damaged_message(err);
	case VEX_SAY_DOCUMENT: return take_document(l, payload, err);
	case VEX_SAY_STATEMENT: return take_statement(l, payload, err);
	case VEX_SAY_DAMAGED: return take_damaged(l, payload, err);
	case VEX_SAY_FAILED: return take_failed(l, payload, err);
	}
	return damaged_message(err);
}

/* What goes wrong here is kept: the child's end would hide it. */
static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct loading *l = ctx;
	int rc = handle_message(l, type, payload, is_request ? reply : NULL, err);
	if (rc < 0)
		l->failure = *err;
	return rc;
}

static int run(struct loading *l, struct bh_err *err)
{
	struct bh_child_spec spec = { .name = "vex", .run = vex_child_run, .handle = handle, .ctx = l, .limits = { .memory_bytes = CHILD_MEMORY_BYTES } };
	struct bh_err why = { 0 };
	int child = 0, rc = bh_children_run(&spec, 1, 1, &child, &why, err);
	if (l->fd >= 0)
		(void)close(l->fd);
	if (rc < 0)
		return rc;
	if (l->failure.code < 0)
		why = l->failure;
	if (child < 0)
		*err = why;
	return child;
}

int policy_vex_load(struct policy_vex *vex, const char *path, struct bh_report *report, struct bh_err *err)
{
	struct files files = { .names.max = FILES_MAX };
	bh_arena_init(&files.arena, NAMES_BYTES_MAX);
	struct loading l = { .vex = vex, .report = report, .files = &files, .from = path, .fd = -1 };
	int rc = list_files(&files, path, err);
	rc = rc < 0 ? rc : run(&l, err);
	if (rc == 0 && l.n_others == files.names.len)
		rc = bh_fail(err, BH_EUSAGE, 0, "--vex %s: none of the %zu *.json files below it is OpenVEX, CSAF or CycloneDX", path, l.n_others);
	name_vec_done(&files.names);
	bh_arena_done(&files.arena);
	return rc;
}

int policy_vex_load_bytes(struct policy_vex *vex, const char *from, struct bh_slice bytes, struct bh_report *report, struct bh_err *err)
{
	BH_CLOSE int fd = memfd_create("vex", MFD_CLOEXEC);
	if (fd < 0)
		return bh_fail_errno(err, errno, "memory for %s", from);
	int rc = bh_write_all(fd, bytes, err);
	if (rc < 0)
		return rc;
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int readable = open(path, O_RDONLY | O_CLOEXEC); /* children get descriptors for reading only */
	if (readable < 0)
		return bh_fail_errno(err, errno, "memory for %s", from);
	struct loading l = { .vex = vex, .report = report, .from = from, .fd = readable };
	return run(&l, err);
}
