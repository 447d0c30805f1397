/* test_image_merge.c: tables of layers and the one file system they make: OCI image-spec, layer.md, and what containerd does. */
#include "image_layers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LAYERS_MAX 8

struct merge_case {
	const char *name;
	const char *layers[LAYERS_MAX]; /* lowest first */
	const char *expected;
	const char *incomplete; /* reasons, one a line; NULL: none */
};


static const struct merge_case cases[] = {
	{ "one layer", { "f etc/os-release A" }, "0 + etc/os-release A\n", NULL },
	{ "leading ./ and / and doubled /", { "f ./etc/os-release A\nf /var//lib/dpkg/./status B" }, "0 + etc/os-release A\n0 + var/lib/dpkg/status B\n", NULL },
	{ "replaced by a layer above", { "f etc/os-release A", "f etc/os-release B" }, "0 - etc/os-release A\n1 + etc/os-release B\n", NULL },
	{ "removed", { "f etc/os-release A", "f etc/.wh.os-release " }, "0 - etc/os-release A\n", NULL },
	{ "a folder above removed", { "f var/lib/dpkg/status A", "f var/.wh.lib " }, "0 - var/lib/dpkg/status A\n", NULL },
	{ "removed and made anew above", { "f etc/os-release A", "f etc/.wh.os-release ", "f etc/os-release C" }, "0 - etc/os-release A\n2 + etc/os-release C\n",
	  NULL },
	{ "whiteout and file in one layer", { "f etc/os-release A", "f etc/os-release B\nf etc/.wh.os-release " },
	  "0 - etc/os-release A\n1 + etc/os-release B\n", NULL },
	{ "whiteout before the file in one layer", { "f etc/os-release A", "f etc/.wh.os-release \nf etc/os-release B" },
	  "0 - etc/os-release A\n1 + etc/os-release B\n", NULL },
	{ "whiteouts hide no layer above", { "f etc/.wh.os-release ", "f etc/os-release B" }, "1 + etc/os-release B\n", NULL },
	{ "opaque folder", { "f var/lib/dpkg/status A", "f var/lib/.wh..wh..opq \nf var/lib/dpkg/status B" },
	  "0 - var/lib/dpkg/status A\n1 + var/lib/dpkg/status B\n", NULL },
	{ "opaque marker behind the folder's files", { "f var/lib/dpkg/status A", "f var/lib/dpkg/status B\nf var/lib/.wh..wh..opq " },
	  "0 - var/lib/dpkg/status A\n1 + var/lib/dpkg/status B\n", NULL },
	{ "opaque root", { "f etc/os-release A", "f .wh..wh..opq " }, "0 - etc/os-release A\n", NULL },
	{ "opaque folder elsewhere", { "f etc/os-release A", "f var/.wh..wh..opq " }, "0 + etc/os-release A\n", NULL },
	{ "AUFS bookkeeping hides nothing", { "f etc/os-release A", "d .wh..wh.plnk\nf etc/.wh..wh.aufs \nf etc/.wh. \nf etc/.wh... " }, "0 + etc/os-release A\n",
	  NULL },
	{ "whiteout in a whited-out folder", { "f etc/os-release A\nf package.json B", "f .wh.etc \nf .wh.package.json " },
	  "0 - etc/os-release A\n0 - package.json B\n", NULL },
	{ "a file over a folder", { "f var/lib/dpkg/status A", "f var/lib X" }, "0 - var/lib/dpkg/status A\n", NULL },
	{ "a link over a folder", { "f var/lib/dpkg/status A", "l var/lib /nowhere" }, "0 - var/lib/dpkg/status A\n", NULL },
	{ "a device over a file", { "f etc/os-release A", "c etc/os-release" }, "0 - etc/os-release A\n", NULL },
	{ "a folder over a file", { "f etc/os-release A", "d etc/os-release/" }, "0 - etc/os-release A\n", NULL },
	{ "a folder over a folder", { "f etc/os-release A", "d etc/" }, "0 + etc/os-release A\n", NULL },
	{ "a file next to it", { "f etc/os-release A", "f etc/os-releasex B\nf etc/os-releas C" }, "0 + etc/os-release A\n", NULL },
	{ "last of one name in a layer", { "f etc/os-release A\nf etc/os-release B" }, "0 + etc/os-release B\n", NULL },
	{ "file, then link of that name in a layer", { "f etc/os-release A\nl etc/os-release /nowhere" }, "", NULL },
	{ "link, then file of that name in a layer", { "l etc/os-release /nowhere\nf etc/os-release A" }, "0 + etc/os-release A\n", NULL },
	{ "file, then folder of that name in a layer", { "f etc/os-release A\nd etc/os-release" }, "", NULL },
	{ "file's folder replaced later in a layer", { "f var/lib/dpkg/status A\nf var/lib X" }, "", NULL },
	{ "file's folder replaced and made anew in a layer", { "f var/lib/dpkg/status A\nl var/lib /x\nd var/lib\nf var/lib/dpkg/status B" },
	  "0 + var/lib/dpkg/status B\n", NULL },
	{ "folder twice in a layer", { "d etc\nf etc/os-release A\nd etc" }, "0 + etc/os-release A\n", NULL },
	{ "files in path order", { "f b/package.json 2\nf a/package.json 1\nf package.json 3\nf a/b/package.json 0" },
	  "0 + a/b/package.json 0\n0 + a/package.json 1\n0 + b/package.json 2\n0 + package.json 3\n", NULL },
	{ "names with ..", { "f ../../etc/os-release A\nf var/x/../lib/dpkg/status B" }, "0 + etc/os-release A\n0 + var/lib/dpkg/status B\n", NULL },
	{ "too large", { "f etc/os-release 0123456789\nf var/lib/dpkg/status A" }, "0 + etc/os-release 0123456789\n0 + var/lib/dpkg/status A\n", NULL },

	/* links */
	{ "link to what is wanted anyway", { "l etc/os-release ../usr/lib/os-release\nf usr/lib/os-release A" }, "0 + usr/lib/os-release A\n", NULL },
	{ "link to something else", { "l etc/os-release ../opt/release\nf opt/release A" }, "0 + etc/os-release A\n", NULL },
	{ "absolute link", { "l etc/os-release /opt/release\nf opt/release A" }, "0 + etc/os-release A\n", NULL },
	{ "link above its target", { "f opt/release A", "l etc/os-release /opt/release" }, "0 + etc/os-release A\n", NULL },
	{ "link below its target", { "l etc/os-release /opt/release", "f opt/release A" }, "1 + etc/os-release A\n", NULL },
	{ "link whose target changes", { "l etc/os-release /opt/release\nf opt/release A", "f opt/release B" },
	  "0 - etc/os-release A\n1 + etc/os-release B\n", NULL },
	{ "link whose target is removed", { "l etc/os-release /opt/release\nf opt/release A", "f opt/.wh.release " }, "0 - etc/os-release A\n", NULL },
	{ "link replaced by a file", { "l etc/os-release /opt/release\nf opt/release A", "f etc/os-release B" }, "1 + etc/os-release B\n", NULL },
	{ "link removed", { "l etc/os-release /opt/release\nf opt/release A", "f etc/.wh.os-release " }, "", NULL },
	{ "link out of the root stays in it", { "l etc/os-release ../../../../opt/release\nf opt/release A" }, "0 + etc/os-release A\n", NULL },
	{ "dangling link", { "l etc/os-release /opt/release" }, "", NULL },
	{ "link to itself", { "l etc/os-release os-release" }, "", NULL },
	{ "two links in a circle", { "l etc/os-release ../usr/lib/os-release\nl usr/lib/os-release /etc/os-release" }, "", NULL },
	{ "link to a link", { "l etc/os-release /a\nl a b\nf b A" }, "0 + etc/os-release A\n", NULL },
	{ "link through a linked folder", { "l etc/os-release /data/release\nl data srv/data\nf srv/data/release A" }, "0 + etc/os-release A\n", NULL },
	{ "linked folder with a home below it", { "l var/lib/dpkg /opt/dpkg\nf opt/dpkg/status A\nf opt/dpkg/info/x.list B\nf opt/dpkg/info/x.txt C" },
	  "0 + var/lib/dpkg/info/x.list B\n0 + var/lib/dpkg/status A\n", NULL },
	{ "linked folder far above a home", { "l var /srv/var\nf srv/var/lib/dpkg/status A" }, "0 + var/lib/dpkg/status A\n", NULL },
	{ "linked folder, target changed above", { "l var/lib/dpkg /opt/dpkg\nf opt/dpkg/status A", "f opt/dpkg/status B", "f opt/dpkg/other C" },
	  "0 - var/lib/dpkg/status A\n1 + var/lib/dpkg/status B\n", NULL },
	{ "linked folder made a folder above", { "l var/lib/dpkg /opt/dpkg\nf opt/dpkg/status A", "d var/lib/dpkg\nf var/lib/dpkg/status B" },
	  "1 + var/lib/dpkg/status B\n", NULL },
	{ "linked folder to a place that is wanted for something else", { "l var/lib/dpkg /usr/lib\nf usr/lib/os-release A\nf usr/lib/status B" },
	  "0 + usr/lib/os-release A\n0 + var/lib/dpkg/status B\n", NULL },

	{ "two homes linked to one file", { "l etc/os-release /x\nl var/lib/dpkg/status /x\nf x A" }, "0 + etc/os-release A\n0 + var/lib/dpkg/status A\n", NULL },
	{ "two homes of one kind linked to one file", { "l etc/os-release /x\nl usr/lib/os-release /x\nf x A" }, "0 + etc/os-release A\n", NULL },

	/* hard links */
	{ "hard link to what is wanted anyway", { "f usr/lib/os-release A\nh etc/os-release usr/lib/os-release" }, "0 + usr/lib/os-release A\n", NULL },
	{ "hard link to something else", { "f ostree/repo/1 A\nh usr/lib/os-release ostree/repo/1" }, "0 + usr/lib/os-release A\n", NULL },
	{ "hard link into a lower layer", { "f ostree/repo/1 A", "h usr/lib/os-release ostree/repo/1" }, "1 + usr/lib/os-release A\n", NULL },
	{ "hard link outlives its target", { "f ostree/repo/1 A", "h usr/lib/os-release ostree/repo/1", "f ostree/.wh.repo " }, "1 + usr/lib/os-release A\n", NULL },
	{ "hard link outlives its wanted target", { "f usr/lib/os-release A\nh etc/os-release usr/lib/os-release", "f usr/.wh.lib " },
	  "0 + etc/os-release A\n0 - usr/lib/os-release A\n", NULL },
	{ "hard link keeps the old content", { "f o/1 A", "h etc/os-release o/1", "f o/1 B" }, "1 + etc/os-release A\n", NULL },
	{ "hard link removed", { "f o/1 A\nh etc/os-release o/1", "f etc/.wh.os-release " }, "", NULL },
	{ "symbolic link to a hard link", { "f o/1 A\nh usr/lib/os-release o/1\nl etc/os-release ../usr/lib/os-release" }, "0 + usr/lib/os-release A\n", NULL },
	{ "symbolic link above a hard link", { "f o/1 A\nh usr/lib/os-release o/1", "l etc/os-release ../usr/lib/os-release" },
	  "0 + usr/lib/os-release A\n", NULL },
	{ "hard link with a leading /", { "f o/1 A\nh /etc/os-release /o/1" }, "0 + etc/os-release A\n", NULL },

	{ "hard link whose target is replaced later in its layer", { "f o/1 A\nh etc/os-release o/1\nf o/1 B" }, "0 + etc/os-release A\n", NULL },
	{ "hard link whose target becomes a folder", { "f o/1 A\nh etc/os-release o/1\nd o/1" }, "0 + etc/os-release A\n", NULL },
	{ "hard link to what is wanted, replaced later in its layer",
	  { "f usr/lib/os-release A\nh etc/os-release usr/lib/os-release\nf usr/lib/os-release B" },
	  "0 + etc/os-release A\n0 + usr/lib/os-release B\n", NULL },
	{ "hard link to a hard link", { "f o/1 A\nh o/2 o/1\nh etc/os-release o/2" }, "",
	  "leads to o/2 through further links, which were not followed\n" },
	{ "hard link to a wanted hard link that is gone", { "f o/1 A\nh usr/lib/os-release o/1", "h etc/os-release usr/lib/os-release\nf usr/.wh.lib " },
	  "1 + etc/os-release A\n", NULL },
	{ "two hard links to two versions", { "f o/1 A\nh a/package.json o/1", "f o/1 B\nh b/package.json o/1" }, "0 + a/package.json A\n1 + b/package.json B\n",
	  NULL },

	/* two passes are the limit, and it is said */
	{ "links deep in folders are not known in the first pass", { "l etc/os-release /a/b/c/release\nl a/b/c ../d\nf a/d/release A" }, "",
	  "leads to a/b/c/release through further links, which were not followed\n" },
};

static const struct image_visitor visitor = {
	.wants = layers_wants, .wants_below = layers_wants_below, .home = layers_home, .file = layers_file, .record = layers_record
};

struct built {
	size_t n;
	struct bh_buf tars[LAYERS_MAX];
	struct image_pool pool;
	struct image_unit units[LAYERS_MAX], extra[LAYERS_MAX];
	struct image_unit *unit_of[LAYERS_MAX], *extra_of[LAYERS_MAX];
	struct image_key key;
};

static void read_all(struct built *b, const struct image_layer_job *job, const bool *only, struct image_unit *units, struct image_unit **of)
{
	for (size_t k = 0; k < b->n; k++) {
		struct bh_err err = { 0 };
		if (only && !only[k])
			continue;
		image_unit_init(&units[k], &b->pool);
		of[k] = &units[k];
		if (layers_read(bh_buf_slice(&b->tars[k]), job, of[k], &err) < 0)
			fail_msg("%s", err.text);
		assert_true(units[k].ended);
		assert_int_equal(units[k].end.code, BH_OK);
	}
}

static void build(struct built *b, const struct merge_case *c)
{
	image_pool_init(&b->pool);
	image_key_draw(&b->key);
	for (b->n = 0; b->n < LAYERS_MAX && c->layers[b->n]; b->n++) {
		bh_buf_init(&b->tars[b->n], 1u << 20);
		tar_of_text(&b->tars[b->n], c->layers[b->n]);
		assert_false(b->tars[b->n].failed);
	}
}

static void drop(struct built *b)
{
	for (size_t k = 0; k < b->n; k++) {
		image_unit_done(&b->units[k]);
		image_unit_done(&b->extra[k]);
		bh_buf_done(&b->tars[k]);
	}
	image_pool_done(&b->pool);
}

/* What image.c does around it, without children. */
static void run(const struct merge_case *c, struct bh_buf *out, struct bh_report *report)
{
	struct built *b = calloc(1, sizeof(*b));
	struct image_visitor v = visitor;
	struct bh_err err = { 0 };
	v.ctx = out;
	assert_non_null(b);
	build(b, c);
	struct image_layer_job job = { .visitor = &v, .key = &b->key, .digest_kind = BH_DIGEST_SHA256, .diff_kind = BH_DIGEST_SHA256, .want_hides = true };
	read_all(b, &job, NULL, b->units, b->unit_of);
	struct image_stack stack = { .visitor = &v, .key = &b->key, .n = b->n, .units = b->unit_of, .extra = b->extra_of };
	struct image_links links;
	image_links_init(&links);
	assert_int_equal(image_links_find(&stack, &links, &err), 0);
	assert_false(links.too_many);
	if (links.leads.len) {
		struct image_alias aliases[16];
		assert_in_range(links.leads.len, 1, 16);
		for (size_t i = 0; i < links.leads.len; i++)
			aliases[i] = links.leads.ptr[i].alias;
		job.want_hides = false;
		job.aliases = aliases;
		job.n_aliases = links.leads.len;
		read_all(b, &job, links.needed, b->extra, b->extra_of);
		image_links_report(&stack, &links, report);
	}
	assert_int_equal(image_merge(&stack, &links, report, &err), 0);
	image_links_done(&links);
	drop(b);
	free(b);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_buf out, reasons;
		struct bh_report report;
		bh_buf_init(&out, 1u << 20);
		bh_buf_init(&reasons, 1u << 20);
		bh_report_init(&report);
		run(&cases[i], &out, &report);
		for (size_t n = 0; n < report.incomplete.len; n++)
			bh_buf_printf(&reasons, "%.*s\n", BH_SLICE_FMT(report.incomplete.ptr[n].reason));
		bh_buf_add_byte(&out, '\0');
		bh_buf_add_byte(&reasons, '\0');
		const char *incomplete = cases[i].incomplete ? cases[i].incomplete : "";
		if (strcmp((char *)out.ptr, cases[i].expected) || strcmp((char *)reasons.ptr, incomplete))
			fail_msg("%s:\n%sinstead of\n%sincomplete:\n%sinstead of\n%s", cases[i].name, (char *)out.ptr, cases[i].expected, (char *)reasons.ptr,
				 incomplete);
		bh_report_done(&report);
		bh_buf_done(&out);
		bh_buf_done(&reasons);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};
	return cmocka_run_group_tests_name("image_merge", tests, NULL, NULL);
}
