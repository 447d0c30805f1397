#include "kube/intake.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kube/live.h"
#include "kube/origin.h"
#include "model/wire.h"
#include "sys/files.h"

#define NAMES_BYTES_MAX (256u << 20)

/* ---- the parent's side ---- */

void intake_init(struct intake *in, void (*unreadable)(void *ctx, uint8_t role, const char *name, const struct bh_err *why), void *ctx)
{
	*in = (struct intake){ .files = { .max = KUBE_FILES_MAX }, .roles = { .max = KUBE_FILES_MAX }, .unreadable = unreadable, .ctx = ctx };
	bh_arena_init(&in->names, NAMES_BYTES_MAX);
}

void intake_done(struct intake *in)
{
	kube_file_vec_done(&in->files);
	intake_role_vec_done(&in->roles);
	bh_arena_done(&in->names);
	kube_live_close(in->live);
}

/* Neither a file nor a cluster. */
static bool is_provided(const char *path)
{
	return kube_is_daemon(path) || kube_is_image(bh_slice_str(path));
}

static int add_path(struct intake *in, const char *path, struct bh_err *err)
{
	if (strcmp(path, "-") != 0 && !kube_is_live(bh_slice_str(path)) && !is_provided(path))
		return kube_files_find(path, in->dockerfiles, &in->names, &in->files, err);
	return kube_file_vec_push(&in->files, path) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %u files", KUBE_FILES_MAX);
}

int intake_add(struct intake *in, const char *const *paths, size_t n, uint8_t role, struct bh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = add_path(in, paths[i], err);
		if (rc < 0)
			return rc;
	}
	while (in->roles.len < in->files.len)
		if (!intake_role_vec_push(&in->roles, role))
			return bh_fail(err, BH_ELIMIT, 0, "more than %u files", KUBE_FILES_MAX);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode); /* only what has to be rendered is an entry: see kube_files_find */
}

int intake_ready(const struct intake *in, struct bh_err *err)
{
	if (!in->rendering || !in->rendering->wants_chart)
		return 0;
	for (size_t i = 0; i < in->files.len; i++)
		if (is_folder(in->files.ptr[i]) && kube_template_of(in->files.ptr[i], NULL) == KUBE_CHART)
			return 0;
	return bh_fail(err, BH_EUSAGE, 0, "values, a release or its namespace were given, and no Helm chart is among the paths");
}

/* Names what comes out as origin.h says. */
static int render(struct intake *in, const char *folder, const char **name, struct bh_child_reply *reply, struct bh_err *err)
{
	const char *file = "";
	enum kube_template kind = kube_template_of(folder, &file);
	bool slash = folder[strlen(folder) - 1] == '/';
	int rc = kube_render(kind, folder, in->rendering, &reply->fd, err);
	if (rc < 0)
		return rc;
	if (kind == KUBE_CHART)
		*name = bh_arena_printf(&in->names, "%s" KUBE_RENDERED, folder);
	else
		*name = bh_arena_printf(&in->names, "%s%s%s" KUBE_RENDERED, folder, slash ? "" : "/", file);
	return *name ? 0 : bh_fail(err, BH_ELIMIT, 0, "out of memory for the names of files");
}

static int open_file(struct intake *in, const char *path, const char **name, struct bh_child_reply *reply, struct bh_err *err)
{
	uint64_t size;
	const struct bh_slice *instead = in->instead ? bh_map_get(in->instead, bh_slice_str(path)) : NULL;
	reply->close_fd = strcmp(path, "-") != 0;
	if (instead)
		return bh_memory_text(*instead, &reply->fd, err);
	if (reply->close_fd && is_folder(path))
		return render(in, path, name, reply, err);
	if (reply->close_fd)
		return bh_open_regular(path, &reply->fd, &size, err);
	reply->fd = STDIN_FILENO;
	return 0;
}

/* A cluster is opened when its turn comes: only then its credentials are needed, and one at a time is. */
static int open_next(struct intake *in, const char *path, const char **name, struct bh_child_reply *reply, struct bh_err *err)
{
	*name = strcmp(path, "-") == 0 ? "standard input" : path;
	if (is_provided(path)) {
		reply->close_fd = true;
		return kube_daemon_open(path, &reply->fd, err);
	}
	if (!kube_is_live(bh_slice_str(path)))
		return open_file(in, path, name, reply, err);
	kube_live_close(in->live);
	in->live = NULL;
	return kube_live_open(path, &in->live, name, err);
}

static int give_next(struct intake *in, struct bh_child_reply *reply, struct bh_err *err)
{
	while (in->next < in->files.len) {
		size_t i = in->next++;
		const char *path = in->files.ptr[i], *name;
		struct bh_err why = { 0 };
		if (open_next(in, path, &name, reply, &why) < 0) {
			if (kube_is_live(bh_slice_str(path)) || kube_is_daemon(path)) { /* nothing of it can be read: no answer would mean anything */
				*err = why;
				return why.code;
			}
			in->unreadable(in->ctx, in->roles.ptr[i], path, &why);
			continue;
		}
		in->opened[in->roles.ptr[i] & 3]++;
		bh_wire_put_u8(reply->payload, in->roles.ptr[i]);
		bh_wire_put_slice(reply->payload, bh_slice_str(name));
		return 1;
	}
	return 1;
}

int intake_handle(struct intake *in, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	if (type == INTAKE_ASK_NEXT && is_request)
		return give_next(in, reply, err);
	if ((type == INTAKE_ASK_BESIDE || type == INTAKE_ASK_BESIDE_NEXT) && is_request && in->beside) {
		int answer = type == INTAKE_ASK_BESIDE ? beside_open(in->beside, payload, reply, err) : beside_next(in->beside, reply, err);
		return answer < 0 ? answer : 1;
	}
	if (type != INTAKE_ASK_GET || !is_request)
		return 0;
	int rc = kube_live_give(in->live, payload, reply, err);
	return rc < 0 ? rc : 1;
}

/* ---- the child's side ---- */

void intake_texts_done(struct intake_text_vec *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		bh_buf_done(&texts->ptr[i]);
	intake_text_vec_done(texts);
}

static int read_one(struct bh_channel *ch, const struct intake_taker *t, struct bh_slice reply, int fd, struct intake_text_vec *texts,
		    struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(reply);
	struct bh_buf text;
	struct bh_slice name;
	struct bh_err why = { 0 };
	uint8_t role;
	if (!bh_take_u8(&r, &role) || !bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &name))
		return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	if (fd < 0)
		return kube_live_read(ch, role, name, t, texts, err);
	if (t->stream && role == t->stream_role)
		return t->stream(t->ctx, name, fd, err);
	bh_buf_init(&text, KUBE_TEXT_BYTES_MAX);
	if (bh_read_all(fd, KUBE_TEXT_BYTES_MAX, &text, &why) < 0) {
		bh_buf_done(&text);
		return t->unreadable(t->ctx, role, name, &why, err);
	}
	if (!intake_text_vec_push(texts, text)) {
		bh_buf_done(&text);
		return bh_fail(err, BH_ELIMIT, 0, "more than %zu files", texts->max);
	}
	return t->take(t->ctx, role, name, bh_buf_slice(&text), err);
}

int intake_read(struct bh_channel *ch, const struct intake_taker *taker, struct intake_text_vec *texts, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	bh_buf_init(&reply, BH_PATH_BYTES_MAX + 64);
	texts->max = KUBE_FILES_MAX;
	for (;;) {
		BH_CLOSE int fd = -1;
		int rc = bh_channel_call(ch, INTAKE_ASK_NEXT, (struct bh_slice){ 0 }, &reply, &fd, err);
		if (rc < 0 || reply.len == 0)
			return rc;
		rc = read_one(ch, taker, bh_buf_slice(&reply), fd, texts, err);
		if (rc < 0)
			return rc;
	}
}
