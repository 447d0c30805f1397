/*
 * image_probe.c: prints what image_read() finds, for tests/live/images.py to compare with what umoci and tar unpack.
 *
 *   image-probe [--all | --watch] [--platform P] [--ref R] [--kind auto|oci|archive|dir|rootfs] [--parallel N] [--no-sandbox] TARGET
 *
 *   T digest config os/arch/variant reference      the target
 *   L number digest diff_id size entries created_by
 *   F layer +|- size sha256 path                   a file (+ visible)
 *   I layer what path reason                       something incomplete
 *
 * --all wants every file, --watch watches every one; without either, the places where packages are recorded. Exit code: 0, or minus the bh_code.
 */
#include "base/buf.h"
#include "crypto/digest.h"
#include "image/image.h"
#include "sys/child.h"
#include "sys/signals.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX (64u << 20)

static const char *const homes[] = {
	"etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status", "var/lib/dpkg/status.d/", "var/lib/dpkg/info/",
	"lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "",
};

static bool want_all;

static struct bh_slice home(void *ctx, size_t index)
{
	(void)ctx;
	return bh_slice_str(homes[index]);
}

static bool in_folder(struct bh_slice path, struct bh_slice folder)
{
	return folder.len && folder.ptr[folder.len - 1] == '/' && bh_slice_starts(path, folder) &&
	       bh_slice_find(bh_slice_sub(path, folder.len, path.len), '/') == path.len - folder.len;
}

static uint64_t wants(void *ctx, struct bh_slice path)
{
	(void)ctx;
	if (want_all)
		return FILE_BYTES_MAX;
	for (size_t i = 0; homes[i][0]; i++) {
		if (bh_slice_eq_str(path, homes[i]) || in_folder(path, bh_slice_str(homes[i])))
			return FILE_BYTES_MAX;
	}
	return bh_slice_ends(path, BH_SLICE_LIT("/package.json")) ? FILE_BYTES_MAX : 0;
}

static bool wants_below(void *ctx, struct bh_slice path)
{
	(void)ctx;
	for (size_t i = 0; homes[i][0]; i++) {
		struct bh_slice h = bh_slice_str(homes[i]);
		if (bh_slice_starts(h, path) && h.len > path.len && h.ptr[path.len] == '/')
			return true;
	}
	return want_all;
}

static int on_file(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err)
{
	(void)ctx;
	struct bh_digest d;
	char digest[BH_DIGEST_TEXT_BYTES], text[BH_DIGEST_TEXT_BYTES + 32];
	int rc = bh_digest_of(BH_DIGEST_SHA256, file->data, &d, err);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "%zu %s", file->data.len, bh_digest_text(&d, digest) + strlen("sha256:"));
	return emit->record(emit->ctx, file->path, 1, bh_slice_str(text), err);
}

/* ---- the same by watching, without wanting anything ---- */

struct watched {
	struct bh_hasher *hasher;
	uint64_t bytes;
	struct bh_slice path;
};

static int watch_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct watched *w = ctx;
	(void)emit;
	w->path = e->path;
	w->bytes = 0;
	bh_hasher_free(w->hasher);
	w->hasher = NULL;
	int rc = e->type == IMAGE_ENTRY_FILE ? bh_hasher_new(BH_DIGEST_SHA256, &w->hasher, err) : 0;
	return rc < 0 ? rc : e->type == IMAGE_ENTRY_FILE;
}

static int watch_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct watched *w = ctx;
	(void)emit, (void)err;
	bh_hasher_update(w->hasher, run);
	w->bytes += run.len;
	return 0;
}

static int watch_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct watched *w = ctx;
	struct bh_digest d;
	char digest[BH_DIGEST_TEXT_BYTES], text[BH_DIGEST_TEXT_BYTES + 32];
	bh_hasher_finish(w->hasher, &d);
	snprintf(text, sizeof(text), "%ju %s", (uintmax_t)w->bytes, bh_digest_text(&d, digest) + strlen("sha256:"));
	return whole ? emit->record(emit->ctx, w->path, 1, bh_slice_str(text), err) : 0;
}

static uint64_t wants_nothing(void *ctx, struct bh_slice path)
{
	(void)ctx, (void)path;
	return 0;
}

static bool wants_nothing_below(void *ctx, struct bh_slice path)
{
	(void)ctx, (void)path;
	return false;
}

/* ---- what it says ---- */

static void put_escaped(struct bh_slice s)
{
	struct bh_buf b;
	bh_buf_init(&b, 64u << 10);
	bh_buf_add_escaped(&b, s);
	fwrite(b.ptr, 1, b.len, stdout);
	bh_buf_done(&b);
}

static void put_layer(uint32_t layer)
{
	if (layer == BH_NO_LAYER)
		putchar('-');
	else
		printf("%u", layer);
}

static int on_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	(void)ctx, (void)kind, (void)err;
	printf("F ");
	put_layer(layer);
	printf(" %c %.*s ", visible ? '+' : '-', BH_SLICE_FMT(payload));
	put_escaped(path);
	putchar('\n');
	return 0;
}

static void print_report(const struct bh_report *r)
{
	char a[BH_DIGEST_TEXT_BYTES], b[BH_DIGEST_TEXT_BYTES];
	const struct bh_target *t = &r->target;
	printf("T %.*s %s %s %.*s/%.*s/%.*s %.*s\n", BH_SLICE_FMT(t->kind), bh_digest_text(&t->digest, a), bh_digest_text(&t->config_digest, b),
	       BH_SLICE_FMT(t->os), BH_SLICE_FMT(t->architecture), BH_SLICE_FMT(t->variant), BH_SLICE_FMT(t->reference));
	for (size_t i = 0; i < r->layers.len; i++) {
		const struct bh_layer *l = &r->layers.ptr[i];
		printf("L %zu %s %s %ju %ju %s%.*s %.*s\n", i, bh_digest_text(&l->digest, a), bh_digest_text(&l->diff_id, b), (uintmax_t)l->size_bytes,
		       (uintmax_t)l->entries, l->skipped ? "skipped " : "", BH_SLICE_FMT(l->media_type), BH_SLICE_FMT(l->created_by));
	}
	for (size_t i = 0; i < r->incomplete.len; i++) {
		const struct bh_incomplete *n = &r->incomplete.ptr[i];
		printf("I ");
		put_layer(n->layer);
		printf(" %.*s [", BH_SLICE_FMT(n->what));
		put_escaped(n->path);
		printf("] ");
		put_escaped(n->reason);
		putchar('\n');
	}
}

static enum image_kind kind_of(const char *word)
{
	static const char *const words[] = { "auto", "oci", "archive", "dir", "rootfs" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0)
			return (enum image_kind)i;
	}
	fprintf(stderr, "unknown kind %s\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },       { "watch", no_argument, NULL, 'w' },       { "platform", required_argument, NULL, 'p' },   { "ref", required_argument, NULL, 'r' },
		{ "kind", required_argument, NULL, 'k' }, { "parallel", required_argument, NULL, 'j' }, { "no-sandbox", no_argument, NULL, 's' },
		{ 0 },
	};
	struct image_request req = { .quiet = true };
	struct watched watched = { 0 };
	const struct image_watcher watcher = { .entry = watch_entry, .bytes = watch_bytes, .end = watch_end, .ctx = &watched };
	bool watch = false;
	uint64_t n = 0;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'a': want_all = true; break;
		case 'w': watch = true; break;
		case 'p': req.platform = optarg; break;
		case 'r': req.reference = optarg; break;
		case 'k': req.kind = kind_of(optarg); break;
		case 'j': req.parallel = bh_slice_u64(bh_slice_str(optarg), 64, &n) ? n : 0; break;
		case 's': bh_child_disable_sandbox(); break;
		default: return 2;
		}
	}
	if (optind + 1 != argc)
		return fprintf(stderr, "one target, please\n"), 2;
	req.path = argv[optind];
	struct image_visitor visitor = { .wants = wants, .wants_below = wants_below, .home = home, .file = on_file, .record = on_record };
	if (watch) {
		visitor.wants = wants_nothing;
		visitor.wants_below = wants_nothing_below;
		visitor.watcher = &watcher;
	}
	struct bh_report report;
	struct bh_err err = { 0 };
	bh_report_init(&report);
	bh_signals_init();
	int rc = image_read(&req, &visitor, &report, &err);
	print_report(&report);
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", bh_code_name(err.code), err.text);
	bh_report_done(&report);
	return -rc;
}
