/*
 * mutate_probe.c: what kube/ makes of JSON patches and mutating policies, for tests/unit/mutate.py and tests/live/mutate.py. Each line of standard input is a JSON
 * object:
 *
 *     do = "patch": document, patch, server (true: the API server's rules)       -> value, or test: false, or error
 *     do = "merge": live, patch                                                   -> value, or error
 *     do = "difference": before, after                                            -> patch
 *     do = "read": text                                                             -> values: of its objects
 *     do = "edit": text, wanted: a value for each of its objects                   -> text, diff, refused: [reasons or null]
 *     do = "mutate": manifests, a text: policies, bindings, parameters, and the object last; kubernetes (34)  -> value, said: [reasons]
 *
 * The answer is a line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kube/map.h"
#include "kube/merge.h"
#include "kube/patch.h"
#include "kube/rewrite.h"

#define OUT_BYTES_MAX (64u << 20)
#define MEMORY_BYTES_MAX (256u << 20)
#define POLICIES_MAX 64u
#define CHANGES_MAX 100000u

struct probe {
	struct kube_set *set;
	struct kube_schema *schema;
	struct bh_arena arena;
	struct bh_buf out;
	struct bh_err err;
	bool has_said;
};

static void print_error(struct probe *p, const char *text)
{
	bh_buf_add_str(&p->out, "{\"error\": ");
	bh_buf_add_json(&p->out, bh_slice_str(text));
	bh_buf_add_str(&p->out, "}");
}

static void print_value(struct probe *p, struct cel_value v)
{
	bh_buf_add_str(&p->out, "{\"value\": ");
	kube_print_json(&p->out, v);
}

static void do_patch(struct probe *p, struct cel_value line)
{
	struct cel_value v, server = kube_get(line, "server");
	enum kube_patch_rules rules = server.kind == CEL_BOOL && server.boolean ? KUBE_PATCH_SERVER : KUBE_PATCH_RFC;
	int rc = kube_patch_apply(&p->arena, kube_get(line, "document"), kube_get(line, "patch"), rules, &v, &p->err);
	if (rc < 0) {
		print_error(p, p->err.text);
	} else if (rc == 0) {
		bh_buf_add_str(&p->out, "{\"test\": false}");
	} else {
		print_value(p, v);
		bh_buf_add_byte(&p->out, '}');
	}
}

static void do_merge(struct probe *p, struct cel_value line)
{
	struct cel_value v;
	if (kube_merge(p->schema, &p->arena, kube_get(line, "live"), kube_get(line, "patch"), &v, &p->err) < 0) {
		print_error(p, p->err.text);
		return;
	}
	print_value(p, v);
	bh_buf_add_byte(&p->out, '}');
}

static void do_difference(struct probe *p, struct cel_value line)
{
	struct kube_change_vec changes = { .max = CHANGES_MAX };
	struct cel_value steps;
	int rc = kube_difference(&p->arena, kube_get(line, "before"), kube_get(line, "after"), &changes, &p->err);
	rc = rc < 0 ? rc : kube_difference_steps(&p->arena, &changes, &steps, &p->err);
	if (rc < 0) {
		print_error(p, p->err.text);
	} else {
		bh_buf_add_str(&p->out, "{\"patch\": ");
		kube_print_json(&p->out, steps);
		bh_buf_add_byte(&p->out, '}');
	}
	kube_change_vec_done(&changes);
}

static int on_said(void *ctx, const struct map_policy *policy, enum vap_outcome outcome, struct bh_slice why, struct bh_err *err)
{
	struct probe *p = ctx;
	struct bh_buf text;
	(void)err;
	bh_buf_init(&text, OUT_BYTES_MAX);
	bh_buf_printf(&text, "%.*s %s: %.*s", BH_SLICE_FMT(map_policy_object(policy)->name), outcome == VAP_UNKNOWN ? "unknown" : "failed", BH_SLICE_FMT(why));
	bh_buf_add_str(&p->out, p->has_said ? ", " : "");
	bh_buf_add_json(&p->out, bh_buf_slice(&text));
	p->has_said = true;
	bh_buf_done(&text);
	return 0;
}

static size_t compile(struct probe *p, const struct kube_object_vec *objects, struct map_policy *policies[POLICIES_MAX], struct bh_buf *why)
{
	size_t n = 0;
	for (size_t i = 0; i < objects->len && n < POLICIES_MAX; i++)
		if (bh_slice_eq_str(objects->ptr[i].kind, "MutatingAdmissionPolicy") && map_policy_new(&objects->ptr[i], 34, &policies[n], why, &p->err) == 0)
			n++;
	return n;
}

static void mutate(struct probe *p, const struct kube_object_vec *objects)
{
	struct map_policy *policies[POLICIES_MAX];
	struct kube_world world;
	struct kube_request request;
	struct bh_buf why;
	struct cel_value v;
	bh_buf_init(&why, OUT_BYTES_MAX);
	size_t n = compile(p, objects, policies, &why);
	const struct kube_object *o = &objects->ptr[objects->len - 1];
	if (why.len) {
		bh_buf_add_byte(&why, '\0');
		print_error(p, (const char *)why.ptr);
	} else if (kube_world_init(&world, objects, &p->err) == 0) {
		bh_buf_add_str(&p->out, "{\"said\": [");
		struct map_context context = { &request, &world, p->schema, &p->arena, on_said, p };
		p->has_said = false;
		int rc = kube_request_create(o, &world, &p->arena, &request) ? map_mutate(policies, n, &context, &v, &p->err) : BH_ENOMEM;
		bh_buf_add_str(&p->out, "], \"value\": ");
		if (rc < 0)
			bh_buf_add_json(&p->out, bh_slice_str(p->err.text));
		else
			kube_print_json(&p->out, v);
		bh_buf_add_str(&p->out, "}");
		kube_world_done(&world);
	}
	while (n > 0)
		map_policy_free(policies[--n]);
	bh_buf_done(&why);
}

static void do_mutate(struct probe *p, struct cel_value line)
{
	struct kube_set *set;
	if (kube_set_new(MEMORY_BYTES_MAX, &set, &p->err) < 0)
		exit(2);
	if (kube_set_read(set, BH_SLICE_LIT("text"), kube_text(line, "manifests"), &p->err) < 0)
		print_error(p, p->err.text);
	else if (kube_set_problems(set)->len)
		print_error(p, (const char *)kube_set_problems(set)->ptr[0].text.ptr);
	else if (kube_set_objects(set)->len == 0)
		print_error(p, "no object");
	else
		mutate(p, kube_set_objects(set));
	kube_set_free(set);
}

static void print_edited(struct probe *p, const struct kube_rewrite *r, const struct kube_edit_vec *edits, const struct bh_buf *text)
{
	struct bh_buf diff;
	bh_buf_init(&diff, OUT_BYTES_MAX);
	bh_buf_add_str(&p->out, "{\"text\": ");
	bh_buf_add_json(&p->out, edits->len ? bh_buf_slice(text) : kube_text_behind_mark(r->text));
	bh_buf_add_str(&p->out, ", \"diff\": ");
	if (kube_edits_print(r->file, kube_text_behind_mark(r->text), edits, &diff, &p->err) < 0)
		abort();
	bh_buf_add_json(&p->out, bh_buf_slice(&diff));
	bh_buf_add_str(&p->out, ", \"refused\": [");
	for (size_t i = 0; i < kube_set_objects(r->set)->len; i++) {
		bh_buf_add_str(&p->out, i ? ", " : "");
		if (r->refused[i])
			bh_buf_add_json(&p->out, bh_slice_str(r->refused[i]));
		else
			bh_buf_add_str(&p->out, "null");
	}
	bh_buf_add_str(&p->out, "]}");
	bh_buf_done(&diff);
}

static void edit(struct probe *p, struct cel_value line, const struct kube_set *set)
{
	const struct kube_object_vec *objects = kube_set_objects(set);
	struct cel_value wanted = kube_get(line, "wanted");
	struct kube_edit_vec edits = { .max = KUBE_EDITS_MAX };
	struct bh_buf text;
	struct kube_rewrite r = { .file = BH_SLICE_LIT("text"), .text = kube_text(line, "text"), .set = set, .arena = &p->arena };
	r.refused = bh_arena_array(&p->arena, objects->len + 1, sizeof(*r.refused));
	r.wanted = wanted.kind == CEL_LIST ? wanted.list->items : NULL;
	if (!r.refused || !r.wanted || wanted.list->len != objects->len) {
		print_error(p, "wanted is not one for each object");
		return;
	}
	bh_buf_init(&text, OUT_BYTES_MAX);
	if (kube_rewrite(&r, &edits, &text, &p->err) < 0)
		print_error(p, p->err.text);
	else
		print_edited(p, &r, &edits, &text);
	kube_edit_vec_done(&edits);
	bh_buf_done(&text);
}

static void print_objects(struct probe *p, const struct kube_object_vec *objects)
{
	bh_buf_add_str(&p->out, "{\"values\": [");
	for (size_t i = 0; i < objects->len; i++) {
		bh_buf_add_str(&p->out, i ? ", " : "");
		kube_print_json(&p->out, objects->ptr[i].value);
	}
	bh_buf_add_str(&p->out, "]}");
}

static void do_edit(struct probe *p, struct cel_value line)
{
	struct kube_set *set;
	if (kube_set_new(MEMORY_BYTES_MAX, &set, &p->err) < 0)
		exit(2);
	if (kube_set_read(set, BH_SLICE_LIT("text"), kube_text(line, "text"), &p->err) < 0)
		print_error(p, p->err.text);
	else if (kube_set_problems(set)->len)
		print_error(p, (const char *)kube_set_problems(set)->ptr[0].text.ptr);
	else if (bh_slice_eq_str(kube_text(line, "do"), "read"))
		print_objects(p, kube_set_objects(set));
	else
		edit(p, line, set);
	kube_set_free(set);
}

static void answer(struct probe *p, struct bh_slice text)
{
	struct kube_tree *tree = NULL;
	if (kube_set_new(MEMORY_BYTES_MAX, &p->set, &p->err) < 0)
		exit(2);
	int rc = kube_set_parse(p->set, text, &tree, &p->err);
	struct cel_value line = rc == 0 ? tree->root : cel_null();
	if (rc < 0)
		print_error(p, p->err.text);
	else if (bh_slice_eq_str(kube_text(line, "do"), "patch"))
		do_patch(p, line);
	else if (bh_slice_eq_str(kube_text(line, "do"), "merge"))
		do_merge(p, line);
	else if (bh_slice_eq_str(kube_text(line, "do"), "difference"))
		do_difference(p, line);
	else if (bh_slice_eq_str(kube_text(line, "do"), "edit") || bh_slice_eq_str(kube_text(line, "do"), "read"))
		do_edit(p, line);
	else
		do_mutate(p, line);
	kube_set_free(p->set);
}

int main(void)
{
	struct probe p = { 0 };
	char *line = NULL;
	size_t cap = 0;
	bh_arena_init(&p.arena, MEMORY_BYTES_MAX);
	bh_buf_init(&p.out, OUT_BYTES_MAX);
	if (kube_schema_new(34, &p.schema, &p.err) < 0)
		return 2;
	for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
		answer(&p, (struct bh_slice){ (const uint8_t *)line, (size_t)n });
		bh_buf_add_byte(&p.out, '\n');
		fwrite(p.out.ptr, 1, p.out.len, stdout);
		bh_buf_clear(&p.out);
		bh_arena_clear(&p.arena);
	}
	kube_schema_free(p.schema);
	bh_buf_done(&p.out);
	bh_arena_done(&p.arena);
	free(line);
	return 0;
}
