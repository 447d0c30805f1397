/* report_read.c: see report_read.h. Which keys there are stands in report_fields.c; here they travel and become a report again. */
#include "policy/report_read.h"

#include "base/map.h"
#include "policy/report_fields.h"
#include "sys/child.h"
#include "sys/files.h"

#define REPORT_BYTES_MAX (128u << 20)
#define CHILD_MEMORY_BYTES (2048ull << 20) /* 128 MB of JSON as a tree */
#define PACKAGES_MAX 1000000u
#define LAYERS_MAX 4096u
#define SCHEMA "bulkhead.report/1"

/* Besides the items of sections, whose types are below REPORT_SECTIONS. */
enum { ASK_FILE = REPORT_SECTIONS, SAY_OTHER /* it is no report */ };

struct reading {
	int fd;
	struct bh_report *report;
	struct bh_map packages;        /* by purl: place in report->packages, counted from 1; the first of those that have the same */
	struct bh_map layers;          /* by digest, in the same way */
	enum report_section section;   /* of the last item: they come in order, as findings point at packages */
	bool other;
	struct bh_err failure;
};

/* ---- the child's side ---- */

static int send_item(struct bh_channel *ch, struct bh_buf *frame, enum report_section section, const struct bh_json_node *node, struct bh_err *err)
{
	const struct report_section_form *form = &report_sections[section];
	bh_buf_clear(frame);
	if (!report_put_item(frame, form->fields, node))
		return bh_fail(err, BH_ELIMIT, 0, "an entry of '%s' is larger than a message may be", form->key ? form->key : "target");
	return bh_channel_send(ch, (uint16_t)section, bh_buf_slice(frame), err);
}

static int send_section(struct bh_channel *ch, struct bh_buf *frame, enum report_section section, const struct bh_json_node *root, struct bh_err *err)
{
	const char *key = report_sections[section].key;
	const struct bh_json_node *array = key ? bh_json_get(root, key) : NULL;
	int rc = key ? 0 : send_item(ch, frame, section, root, err);
	for (size_t i = 0, n = bh_json_is_array(array) ? bh_json_len(array) : 0; rc == 0 && i < n; i++)
		rc = send_item(ch, frame, section, bh_json_at(array, i), err);
	return rc;
}

static int send_report(struct bh_channel *ch, const struct bh_json_node *root, struct bh_err *err)
{
	struct bh_buf frame;
	int rc = 0;
	if (!bh_slice_eq_str(bh_json_str(bh_json_get(root, "schema")), SCHEMA))
		return bh_channel_send(ch, SAY_OTHER, (struct bh_slice){ 0 }, err);
	bh_buf_init(&frame, BH_FRAME_BYTES_MAX);
	for (unsigned s = 0; rc == 0 && s < REPORT_SECTIONS; s++)
		rc = send_section(ch, &frame, (enum report_section)s, root, err);
	bh_buf_done(&frame);
	return rc;
}

static int child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct bh_buf text, reply;
	struct bh_json *doc = NULL;
	struct bh_err why = { 0 };
	int fd = -1;
	bh_buf_init(&text, REPORT_BYTES_MAX);
	bh_buf_init(&reply, 16);
	int rc = bh_channel_call(ch, ASK_FILE, (struct bh_slice){ 0 }, &reply, &fd, err);
	rc = rc < 0 ? rc : bh_read_all(fd, REPORT_BYTES_MAX, &text, err);
	if (rc == 0 && bh_json_parse(bh_buf_slice(&text), REPORT_BYTES_MAX, &doc, &why) < 0)
		rc = bh_channel_send(ch, SAY_OTHER, (struct bh_slice){ 0 }, err);
	else if (rc == 0)
		rc = send_report(ch, bh_json_root(doc), err);
	bh_json_free(doc);
	bh_buf_done(&reply);
	bh_buf_done(&text);
	return rc;
}

/* ---- the parent's side ---- */

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the report is larger than the memory for it");
}

static int damaged(struct bh_err *err)
{
	return bh_fail(err, BH_ECHILD, 0, "the child that reads the report sent a damaged message");
}

/* Place number `index` is found under key; the first one stays. */
static bool remember(struct bh_map *m, struct bh_slice key, size_t index)
{
	void **slot = key.len ? bh_map_put(m, key) : NULL;
	if (slot && !*slot)
		*slot = (void *)(uintptr_t)(index + 1);
	return key.len == 0 || slot;
}

static uint32_t recall(const struct bh_map *m, struct bh_slice key, uint32_t otherwise)
{
	uintptr_t place = key.len ? (uintptr_t)bh_map_get(m, key) : 0;
	return place ? (uint32_t)(place - 1) : otherwise;
}

/* "lib/a.jar!/inner.jar" */
static struct bh_location location_of(struct bh_slice text, const struct bh_location *like)
{
	struct bh_location at = *like;
	at.path = text;
	at.inner = (struct bh_slice){ 0 };
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.ptr[i] == '!' && text.ptr[i + 1] == '/') {
			at.path = bh_slice_sub(text, 0, i);
			at.inner = bh_slice_sub(text, i + 2, text.len);
			break;
		}
	return at;
}

static bool place_package(struct reading *g, struct report_package *item)
{
	struct bh_package *p = &item->is;
	p->at.layer = recall(&g->layers, item->layer, BH_NO_LAYER);
	p->license = item->licenses.len ? item->licenses.ptr[0] : (struct bh_slice){ 0 };
	if (item->paths.len)
		p->at = location_of(item->paths.ptr[0], &p->at);
	if (item->paths.len < 2)
		return true;
	const struct bh_location elsewhere = { .layer = BH_NO_LAYER, .evidence = p->at.evidence };
	struct bh_location *also = bh_arena_array(&g->report->arena, item->paths.len - 1, sizeof(*also));
	for (size_t i = 1; also && i < item->paths.len; i++)
		also[i - 1] = location_of(item->paths.ptr[i], &elsewhere);
	p->also = also;
	p->n_also = item->paths.len - 1;
	return also != NULL;
}

static bool take_layer(struct reading *g, struct report_layer *item)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	const struct bh_digest *d = item->is.digest.kind != BH_DIGEST_NONE ? &item->is.digest : &item->is.diff_id;
	struct bh_slice name;
	if (item->dockerfile.len)
		g->report->dockerfile = item->dockerfile;
	return bh_arena_copy(&g->report->arena, bh_slice_str(bh_digest_text(d, hex)), &name) && remember(&g->layers, name, g->report->layers.len) &&
	       bh_layer_vec_push(&g->report->layers, item->is);
}

/* All packages are there: from now on they stay where they are. */
static bool settle_packages(struct reading *g)
{
	bh_report_sort_packages(g->report);
	for (size_t i = 0; i < g->report->packages.len; i++)
		if (!remember(&g->packages, g->report->packages.ptr[i].purl, i))
			return false;
	return true;
}

/* A package that findings name but the list doesn't have: a report that was cut down by hand. The finding keeps what it says. */
static const struct bh_package *unlisted(struct reading *g, const struct report_finding *item)
{
	struct bh_package *p = BH_ARENA_NEW(&g->report->arena, struct bh_package);
	if (p)
		*p = (struct bh_package){ .name = item->package, .purl = item->package, .version = item->installed, .at.layer = BH_NO_LAYER };
	return p;
}

static bool take_finding(struct reading *g, struct report_finding *item, struct bh_finding_vec *into)
{
	struct bh_finding *f = &item->is;
	uint32_t place = recall(&g->packages, item->package, UINT32_MAX);
	f->aliases = item->aliases.ptr;
	f->n_aliases = item->aliases.len;
	f->fixed = item->fixed.ptr;
	f->n_fixed = item->fixed.len;
	f->path = item->paths.len ? item->paths.ptr[0] : (struct bh_slice){ 0 };
	f->layer = recall(&g->layers, item->layer, BH_NO_LAYER);
	if (item->excepted || item->has_vex)
		f->ruling = item->excepted ? item->exception : item->vex;
	f->ruling.kind = item->excepted ? BH_RULING_EXCEPTION : item->has_vex ? BH_RULING_VEX : BH_RULING_NONE;
	if (place != UINT32_MAX)
		f->package = &g->report->packages.ptr[place];
	else if (item->package.len && !(f->package = unlisted(g, item)))
		return false;
	return bh_finding_vec_push(into, *f);
}

static bool take_change(struct reading *g, struct report_change *item)
{
	uint32_t *to = item->findings.ptr;
	size_t n = 0;
	for (size_t i = 0; i < item->findings.len; i++)
		if (to[i] < g->report->findings.len)
			to[n++] = to[i];
	item->is.findings = to;
	item->is.n_findings = n;
	item->is.layer = recall(&g->layers, item->layer, BH_NO_LAYER);
	return bh_change_vec_push(&g->report->changes, item->is);
}

union item {
	struct bh_report head;
	struct report_layer layer;
	struct report_package package;
	struct report_finding finding;
	struct report_change change;
	struct report_layered layered;
	struct bh_exception exception;
	struct bh_vex_document vex;
	struct bh_label label;
	struct bh_not_covered not_covered;
	struct bh_data_source data;
};

/* What the head says, into a report that has its own arena and lists already. */
static void take_head(struct bh_report *r, const struct bh_report *head)
{
	r->target = head->target;
	r->base = head->base;
	r->baseline = head->baseline;
	memcpy(r->hidden, head->hidden, sizeof(r->hidden));
	r->not_affected = head->not_affected;
	r->verdict = head->verdict;
	r->verdict_reason = head->verdict_reason;
	r->generated = head->generated;
}

static bool take_item(struct reading *g, enum report_section section, union item *item)
{
	struct bh_report *r = g->report;
	switch (section) {
	case REPORT_HEAD: take_head(r, &item->head); return true;
	case REPORT_LAYERS: return take_layer(g, &item->layer);
	case REPORT_PACKAGES: return place_package(g, &item->package) && bh_package_vec_push(&r->packages, item->package.is);
	case REPORT_FINDINGS: return take_finding(g, &item->finding, &r->findings);
	case REPORT_SUPPRESSED: return take_finding(g, &item->finding, &r->suppressed);
	case REPORT_CHANGES: return take_change(g, &item->change);
	case REPORT_EXCEPTIONS: return bh_exception_vec_push(&r->exceptions, item->exception);
	case REPORT_VEX_DOCUMENTS: return bh_vex_vec_push(&r->vex, item->vex);
	case REPORT_HISTORY:
		item->layered.history.layer = recall(&g->layers, item->layered.layer, BH_NO_LAYER);
		return bh_history_vec_push(&r->history, item->layered.history);
	case REPORT_LABELS: return bh_label_vec_push(&r->labels, item->label);
	case REPORT_INCOMPLETE:
		item->layered.incomplete.layer = recall(&g->layers, item->layered.layer, BH_NO_LAYER);
		return bh_incomplete_vec_push(&r->incomplete, item->layered.incomplete);
	case REPORT_NOT_COVERED: return bh_not_covered_vec_push(&r->not_covered, item->not_covered);
	case REPORT_DATA: return bh_data_vec_push(&r->data, item->data);
	case REPORT_SECTIONS: break;
	}
	return false;
}

static int take_message(struct reading *g, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	union item item;
	struct bh_reader r = bh_reader_of(payload);
	if (type == SAY_OTHER) {
		g->other = true;
		return 0;
	}
	if (type >= REPORT_SECTIONS || type < g->section)
		return damaged(err);
	if (type > REPORT_PACKAGES && g->section <= REPORT_PACKAGES && !settle_packages(g))
		return full(err);
	g->section = (enum report_section)type;
	memset(&item, 0, sizeof(item));
	if (!report_get_item(&r, report_sections[type].fields, &g->report->arena, &item))
		return damaged(err);
	return take_item(g, g->section, &item) ? 0 : full(err);
}

/* What goes wrong here is kept: the child's end would hide it. */
static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct reading *g = ctx;
	if (is_request && type == ASK_FILE) {
		reply->fd = g->fd;
		return 0;
	}
	int rc = is_request ? damaged(err) : take_message(g, type, payload, err);
	if (rc < 0)
		g->failure = *err;
	return rc;
}

int policy_report_read(int fd, const char *path, struct bh_report *ret, struct bh_err *err)
{
	struct reading g = { .fd = fd, .report = ret };
	bh_map_init(&g.packages, PACKAGES_MAX);
	bh_map_init(&g.layers, LAYERS_MAX);
	struct bh_child_spec spec = { .name = "report", .run = child_run, .handle = handle, .ctx = &g, .limits = { .memory_bytes = CHILD_MEMORY_BYTES } };
	struct bh_err why = { 0 };
	int child = 0, rc = bh_children_run(&spec, 1, 1, &child, &why, err);
	bh_map_done(&g.packages);
	bh_map_done(&g.layers);
	if (rc < 0)
		return rc;
	if (child < 0) {
		*err = g.failure.code < 0 ? g.failure : why;
		return bh_wrap(err, "%s", path);
	}
	return g.other ? bh_fail(err, BH_EUNSUPPORTED, 0, "%s is no Bulkhead report (" SCHEMA ", as scan -f json writes it)", path) : 0;
}
