/*
 * fuzz_comply_node.c: any input as the files of a node, cut at lines "%%": the arguments of a process, a static pod, a unit, a drop-in, environment files,
 * configurations, /etc/passwd, the objects of a dump, and what container engines are told in TOML. Every answer is to a check that there is, and a wire message of it reads back as it was.
 */
#include "comply/node_child.h"
#include "comply/settings.h"
#include "kube/objects.h"

#include <stdlib.h>

#define PIECES 9u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

struct files {
	struct bh_slice pieces[PIECES];
};

static int give_stat(void *ctx, struct bh_slice path, struct host_stat *ret, struct bh_err *err)
{
	(void)ctx, (void)err;
	if (bh_slice_ends(path, BH_SLICE_LIT("/podman"))) {
		*ret = (struct host_stat){ .kind = HOST_FILE, .id = 1 };
		return 0;
	}
	*ret = (struct host_stat){ path.len % 5 == 4 ? HOST_DENIED : (enum host_kind)(path.len % 3), (uint32_t)path.len & 0777, path.len % 2, 0, path.len };
	return 0;
}

static int give_list(void *ctx, struct bh_slice path, struct bh_arena *arena, struct host_name_vec *ret, struct bh_err *err)
{
	(void)ctx, (void)arena;
	struct bh_slice name = bh_slice_eq_str(path, "/proc") ? BH_SLICE_LIT("7") : bh_slice_ends(path, BH_SLICE_LIT("manifests")) ? BH_SLICE_LIT("a.yaml") : BH_SLICE_LIT("10.conf");
	return host_name_vec_push(ret, name) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static int give_text(void *ctx, struct bh_slice path, struct bh_slice *ret, struct bh_err *err)
{
	static const struct {
		const char *suffix;
		size_t piece;
	} table[] = { { "/cmdline", 0 }, { "/a.yaml", 1 }, { ".service", 2 }, { "10.conf", 3 }, { ".env", 4 }, { "/passwd", 6 }, { "/group", 6 }, { ".toml", 8 }, { "/storage.conf", 8 },
		    { "/registries.conf", 8 }, { "/containers.conf", 8 }, { "/crio.conf", 8 }, { "/subuid", 8 } };
	const struct files *f = ctx;
	size_t piece = 5;
	if (bh_slice_ends(path, BH_SLICE_LIT("/comm"))) {
		*ret = BH_SLICE_LIT("kubelet\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (bh_slice_ends(path, bh_slice_str(table[i].suffix)))
			piece = table[i].piece;
	*ret = f->pieces[piece];
	return ret->len ? 0 : bh_fail(err, BH_ENOTFOUND, 0, "no such file");
}

static int take_row(void *ctx, const struct comply_row *row, struct bh_err *err)
{
	enum bh_severity severity;
	const char *fix;
	struct bh_buf wire;
	struct comply_row again;
	(void)ctx, (void)err;
	bh_buf_init(&wire, BH_FRAME_BYTES_MAX);
	if (!node_check_facts(row->check, &severity, &fix) || !node_put_row(&wire, row) || !node_get_row(bh_buf_slice(&wire), &again)
	    || !bh_slice_eq(row->check, again.check) || row->text.len == 0)
		abort();
	bh_buf_done(&wire);
	return 0;
}

static void cut(struct bh_slice rest, struct files *f)
{
	size_t n = 0;
	struct bh_slice line;
	f->pieces[0] = (struct bh_slice){ rest.ptr, 0 };
	while (rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (bh_slice_eq_str(line, "%%") && n + 1 < PIECES)
			f->pieces[++n] = (struct bh_slice){ rest.ptr, 0 };
		else
			f->pieces[n].len = (size_t)(line.ptr + line.len - f->pieces[n].ptr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct comply_options options = { .minor = 34 };
	struct files f = { 0 };
	struct kube_set *set;
	struct bh_err err = { 0 };
	const struct comply_host host = { true, give_stat, give_list, give_text, take_row, &f };
	cut((struct bh_slice){ data, size }, &f);
	if (kube_set_new(64u << 20, &set, &err) < 0)
		return 0;
	if (kube_set_read(set, BH_SLICE_LIT("dump"), f.pieces[7], &err) == 0 && node_judge(&host, kube_set_objects(set), &options, &err) < 0 && err.text[0] == '\0')
		abort();
	kube_set_free(set);
	return 0;
}
