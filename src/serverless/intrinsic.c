#include "serverless/intrinsic.h"

#include "base/buf.h"

#define DEPTH_MAX 32u
#define STEPS_MAX 1000000u       /* conditions that ask each other twice grow without end */
#define TEXT_BYTES_MAX (64u << 10)

static const struct fn_template *template_of(const struct fn_doc *doc)
{
	return doc->format;
}

static bool has(struct cel_value map, struct bh_slice name)
{
	return map.kind == CEL_MAP && cel_map_field(map.map, name);
}

static struct cel_value copy(struct fn_doc *doc, struct bh_buf *text)
{
	struct bh_slice out;
	bool ok = !text->failed;
	if (ok && !bh_arena_copy(doc->arena, bh_buf_slice(text), &out)) {
		doc->failed = true;
		ok = false;
	}
	bh_buf_done(text);
	return ok ? cel_string(out) : cel_unknown();
}

static struct cel_value ref_parameter(struct fn_doc *doc, struct cel_value parameter)
{
	struct bh_slice type = kube_text(parameter, "Type");
	struct cel_value v = kube_get(parameter, "Default");
	if (v.kind == CEL_NULL || bh_slice_starts(type, BH_SLICE_LIT("AWS::SSM::")))
		return cel_unknown();
	if (v.kind == CEL_STRING && (bh_slice_eq_str(type, "CommaDelimitedList") || bh_slice_starts(type, BH_SLICE_LIT("List<")))) {
		struct fn_list items = { .doc = doc };
		struct bh_slice rest = v.text, item;
		while (rest.len) {
			(void)bh_slice_cut(rest, ',', &item, &rest);
			fn_add(&items, cel_string(bh_slice_trim(item)));
		}
		return fn_list_end(&items);
	}
	return v;
}

static struct cel_value ref(struct fn_doc *doc, struct bh_slice name)
{
	const struct fn_template *t = template_of(doc);
	if (bh_slice_eq_str(name, "AWS::NoValue"))
		return cel_null();
	if (has(t->parameters, name))
		return ref_parameter(doc, *cel_map_field(t->parameters.map, name));
	if (has(t->resources, name) || bh_slice_starts(name, BH_SLICE_LIT("AWS::")))
		return fn_text(doc, "${%.*s}", BH_SLICE_FMT(name));
	return cel_unknown();
}

static struct cel_value get_attribute(struct fn_doc *doc, struct cel_value v)
{
	struct bh_slice name, attribute;
	if (v.kind == CEL_STRING) {
		(void)bh_slice_cut(v.text, '.', &name, &attribute);
	} else {
		struct cel_value of = fn_item(doc, v, 0), what = fn_item(doc, v, 1);
		if (of.kind != CEL_STRING || what.kind != CEL_STRING)
			return cel_unknown();
		name = of.text;
		attribute = what.text;
	}
	return has(template_of(doc)->resources, name) ? fn_text(doc, "${%.*s.%.*s}", BH_SLICE_FMT(name), BH_SLICE_FMT(attribute)) : cel_unknown();
}

static struct cel_value of_name(struct fn_doc *doc, struct bh_slice name, struct cel_value names)
{
	if (has(names, name))
		return fn_intrinsic(doc, *cel_map_field(names.map, name));
	if (bh_slice_find(name, '.') < name.len)
		return get_attribute(doc, cel_string(name));
	return ref(doc, name);
}

/* A number or a text goes into a text; what is open stays there as a variable. */
static void add_value(struct bh_buf *out, struct cel_value v, struct bh_slice name)
{
	if (v.kind == CEL_STRING)
		bh_buf_add(out, v.text);
	else if (v.kind == CEL_INT)
		bh_buf_printf(out, "%lld", (long long)v.integer);
	else
		bh_buf_printf(out, "${%.*s}", BH_SLICE_FMT(name));
}

static struct cel_value substitute(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value text = v.kind == CEL_LIST ? fn_item(doc, v, 0) : v, names = v.kind == CEL_LIST ? fn_item(doc, v, 1) : cel_null();
	struct bh_buf out;
	if (text.kind != CEL_STRING)
		return cel_unknown();
	bh_buf_init(&out, TEXT_BYTES_MAX);
	struct bh_slice rest = text.text;
	while (rest.len) {
		const uint8_t *at = bh_slice_search(rest, "${");
		size_t before = at ? (size_t)(at - rest.ptr) : rest.len;
		bh_buf_add(&out, bh_slice_sub(rest, 0, before));
		rest = bh_slice_sub(rest, before, rest.len);
		if (!at)
			break;
		size_t end = bh_slice_find(rest, '}');
		struct bh_slice name = bh_slice_trim(bh_slice_sub(rest, 2, end - (end >= 2 ? 2 : end)));
		bool is_literal = bh_slice_starts(name, BH_SLICE_LIT("!"));
		struct cel_value value = is_literal ? cel_unknown() : of_name(doc, name, names);
		if (value.kind == CEL_UNKNOWN && !is_literal && end + 1 == text.text.len) { /* nothing else */
			bh_buf_done(&out);
			return value;
		}
		add_value(&out, value, is_literal ? bh_slice_sub(name, 1, name.len) : name);
		rest = bh_slice_sub(rest, end + 1, rest.len);
	}
	return copy(doc, &out);
}

static struct cel_value join(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value between = fn_item(doc, v, 0), list = fn_item(doc, v, 1);
	struct bh_buf out;
	if (between.kind != CEL_STRING || list.kind != CEL_LIST)
		return cel_unknown();
	bool all_open = true;
	bh_buf_init(&out, TEXT_BYTES_MAX);
	for (size_t i = 0; i < list.list->len; i++) {
		struct cel_value item = fn_item(doc, list, i);
		all_open &= item.kind == CEL_UNKNOWN;
		if (i)
			bh_buf_add(&out, between.text);
		add_value(&out, item, BH_SLICE_LIT("open"));
	}
	if (all_open && list.list->len) {
		bh_buf_done(&out);
		return cel_unknown();
	}
	return copy(doc, &out);
}

static struct cel_value choose(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value name = fn_item(doc, v, 0);
	if (name.kind != CEL_STRING || fn_len(v) != 3)
		return cel_unknown();
	switch (fn_condition(doc, name.text)) {
	case FN_TRUE: return fn_item(doc, v, 1);
	case FN_FALSE: return fn_item(doc, v, 2);
	case FN_OPEN: break;
	}
	return cel_unknown();
}

static struct cel_value pick(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value index = fn_item(doc, v, 0), list = fn_item(doc, v, 1);
	uint64_t i = index.kind == CEL_INT ? (uint64_t)index.integer : UINT64_MAX;
	if (index.kind == CEL_STRING && !bh_slice_u64(index.text, UINT32_MAX, &i))
		return cel_unknown();
	return list.kind == CEL_LIST && i < list.list->len ? fn_item(doc, list, (size_t)i) : cel_unknown();
}

static struct cel_value split(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value by = fn_item(doc, v, 0), text = fn_item(doc, v, 1);
	struct fn_list items = { .doc = doc };
	if (by.kind != CEL_STRING || text.kind != CEL_STRING || by.text.len != 1)
		return cel_unknown();
	struct bh_slice rest = text.text, item;
	while (bh_slice_cut(rest, (char)by.text.ptr[0], &item, &rest))
		fn_add(&items, cel_string(item));
	fn_add(&items, cel_string(item));
	return fn_list_end(&items);
}

static struct cel_value find_in_map(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value at = template_of(doc)->mappings;
	for (size_t i = 0; i < 3; i++) {
		struct cel_value key = fn_item(doc, v, i);
		if (key.kind != CEL_STRING || !has(at, key.text))
			return cel_unknown();
		at = *cel_map_field(at.map, key.text);
	}
	return at;
}

static struct cel_value call(struct fn_doc *doc, struct bh_slice name, struct cel_value v)
{
	static const struct {
		const char *name;
		struct cel_value (*call)(struct fn_doc *doc, struct cel_value v);
	} functions[] = {
		{ "Fn::GetAtt", get_attribute }, { "Fn::Sub", substitute }, { "Fn::Join", join },  { "Fn::If", choose },
		{ "Fn::Select", pick },          { "Fn::Split", split },    { "Fn::FindInMap", find_in_map }, { "Fn::Base64", fn_intrinsic },
	};
	if (bh_slice_eq_str(name, "Ref"))
		return v.kind == CEL_STRING ? ref(doc, v.text) : cel_unknown();
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (bh_slice_eq_str(name, functions[i].name))
			return functions[i].call(doc, v);
	return cel_unknown();
}

struct cel_value fn_intrinsic(struct fn_doc *doc, struct cel_value v)
{
	struct bh_slice name = fn_len(v) == 1 ? fn_key(v, 0) : (struct bh_slice){ 0 };
	if (!bh_slice_eq_str(name, "Ref") && !bh_slice_starts(name, BH_SLICE_LIT("Fn::")))
		return v;
	if (doc->depth >= DEPTH_MAX || doc->steps++ >= STEPS_MAX)
		return cel_unknown();
	doc->depth++;
	v = call(doc, name, v.map->entries[0].value);
	doc->depth--;
	return v;
}

/* ---- conditions ---- */

static enum fn_truth truth_of(struct fn_doc *doc, struct cel_value v);

static enum fn_truth equals(struct fn_doc *doc, struct cel_value v)
{
	struct cel_value a = fn_item(doc, v, 0), b = fn_item(doc, v, 1);
	bool is_placed = (a.kind == CEL_STRING && bh_slice_search(a.text, "${")) || (b.kind == CEL_STRING && bh_slice_search(b.text, "${"));
	if (!cel_is_known(a) || !cel_is_known(b) || is_placed)
		return FN_OPEN;
	return cel_equal(a, b) ? FN_TRUE : FN_FALSE;
}

/* And: `absorbing` FN_FALSE; Or: FN_TRUE. */
static enum fn_truth combine(struct fn_doc *doc, struct cel_value v, enum fn_truth absorbing)
{
	enum fn_truth all = absorbing == FN_TRUE ? FN_FALSE : FN_TRUE;
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++) {
		enum fn_truth one = truth_of(doc, v.list->items[i]);
		if (one == absorbing)
			return one;
		all = one == FN_OPEN ? FN_OPEN : all;
	}
	return all;
}

static enum fn_truth decide(struct fn_doc *doc, struct bh_slice name, struct cel_value v)
{
	if (bh_slice_eq_str(name, "Condition") && v.kind == CEL_STRING)
		return fn_condition(doc, v.text);
	if (bh_slice_eq_str(name, "Fn::Equals"))
		return equals(doc, v);
	if (bh_slice_eq_str(name, "Fn::And"))
		return combine(doc, v, FN_FALSE);
	if (bh_slice_eq_str(name, "Fn::Or"))
		return combine(doc, v, FN_TRUE);
	if (!bh_slice_eq_str(name, "Fn::Not") || fn_len(v) != 1)
		return FN_OPEN;
	enum fn_truth of = v.kind == CEL_LIST ? truth_of(doc, v.list->items[0]) : FN_OPEN;
	return of == FN_OPEN ? FN_OPEN : of == FN_TRUE ? FN_FALSE : FN_TRUE;
}

static enum fn_truth truth_of(struct fn_doc *doc, struct cel_value v)
{
	if (v.kind != CEL_MAP || v.map->len != 1 || doc->depth >= DEPTH_MAX || doc->steps++ >= STEPS_MAX)
		return FN_OPEN;
	doc->depth++;
	enum fn_truth t = decide(doc, fn_key(v, 0), v.map->entries[0].value);
	doc->depth--;
	return t;
}

enum fn_truth fn_condition(struct fn_doc *doc, struct bh_slice name)
{
	struct cel_value conditions = template_of(doc)->conditions;
	return has(conditions, name) ? truth_of(doc, *cel_map_field(conditions.map, name)) : FN_OPEN;
}

struct bh_slice fn_resource_in(struct bh_slice text)
{
	for (;;) {
		const uint8_t *at = bh_slice_search(text, "${");
		if (!at)
			return (struct bh_slice){ 0 };
		text = bh_slice_sub(text, (size_t)(at - text.ptr) + 2, text.len);
		struct bh_slice name = bh_slice_sub(text, 0, bh_slice_find(text, '}')), attribute;
		if (!bh_slice_starts(name, BH_SLICE_LIT("AWS::"))) {
			(void)bh_slice_cut(name, '.', &name, &attribute);
			return name;
		}
	}
}
