/* dockerfile.c: see dockerfile.h. */
#include "kube/dockerfile.h"

#include "base/utf8.h"
#include "dockerfile/dockerfile.h"
#include "dockerfile/shell.h"
#include "kube/items.h"

#define FIELDS_MAX 24u
#define VALUE_BYTES_MAX 65536u

/* Everything that is made for one file. Memory that runs out is noted once; the makers go on with nothing. */
struct making {
	const struct kube_document *d;
	struct bh_arena *arena;
	struct df_file f;
	struct cel_value *instructions; /* maps, one each */
	bool failed;
};

struct fields {
	struct making *m;
	struct cel_entry entries[FIELDS_MAX];
	size_t n;
	uint32_t line;
};

struct items {
	struct making *m;
	struct kube_items all;
};

/* ---- making ---- */

/* Bytes that are no UTF-8 become question marks: values of CEL are texts. */
static struct cel_value text(struct making *m, struct bh_slice s)
{
	uint8_t *p = bh_arena_alloc(m->arena, s.len + 1);
	uint32_t cp;
	m->failed = m->failed || !p;
	for (size_t i = 0; p && i < s.len;) {
		size_t n = bh_utf8_next(bh_slice_sub(s, i, s.len), &cp);
		if (n)
			memcpy(p + i, s.ptr + i, n);
		else
			p[i] = '?';
		i += n ? n : 1;
	}
	return p ? cel_string((struct bh_slice){ p, s.len }) : cel_null();
}

static void set(struct fields *o, const char *name, struct cel_value v)
{
	if (v.kind != CEL_NULL && o->n < FIELDS_MAX)
		o->entries[o->n++] = (struct cel_entry){ cel_string(bh_slice_str(name)), v };
}

static void set_text(struct fields *o, const char *name, struct bh_slice s)
{
	set(o, name, text(o->m, s));
}

static struct cel_value map_of(struct fields *o)
{
	struct cel_entry *entries = bh_arena_array(o->m->arena, o->n + 1, sizeof(*entries));
	if (!entries) {
		o->m->failed = true;
		return cel_null();
	}
	memcpy(entries, o->entries, o->n * sizeof(*entries));
	struct cel_value v = cel_map_of(o->m->arena, entries, o->n);
	const struct kube_place place = { .at = v.kind == CEL_MAP ? v.map : NULL, .line = o->line, .parent = KUBE_NO_PLACE };
	if (v.kind == CEL_MAP && kube_place_vec_push(&o->m->d->tree->places, place))
		return v;
	o->m->failed = true;
	return cel_null();
}

static void add(struct items *l, struct cel_value v)
{
	l->m->failed |= !kube_items_add(&l->all, l->m->arena, v);
}

static struct cel_value list_of(struct items *l)
{
	struct cel_value v = cel_list_of(l->m->arena, l->all.ptr, l->all.n);
	l->m->failed = l->m->failed || v.kind != CEL_LIST;
	return v.kind == CEL_LIST ? v : cel_null();
}

static struct cel_value texts(struct making *m, const struct bh_slice *all, size_t n)
{
	struct items out = { .m = m };
	for (size_t i = 0; i < n; i++)
		add(&out, text(m, all[i]));
	return list_of(&out);
}

/* With variables replaced; unknown where the file does not tell one. */
static struct cel_value expanded(struct making *m, size_t before, struct bh_slice s)
{
	struct bh_buf b;
	bh_buf_init(&b, VALUE_BYTES_MAX);
	struct cel_value v = df_expand(&m->f, before, s, &b) ? text(m, bh_buf_slice(&b)) : cel_unknown();
	bh_buf_done(&b);
	return v;
}

/* ---- instructions ---- */

static struct cel_value flags_of(struct making *m, const struct df_instruction *i)
{
	struct items out = { .m = m };
	for (size_t k = 0; k < i->n_flags; k++) {
		struct fields o = { .m = m, .line = i->line };
		set_text(&o, "name", i->flags[k].name);
		set_text(&o, "value", i->flags[k].value);
		add(&out, map_of(&o));
	}
	return list_of(&out);
}

static struct cel_value pairs_of(struct making *m, const struct df_instruction *i)
{
	struct items out = { .m = m };
	for (size_t k = 0; k < i->n_pairs; k++) {
		struct fields o = { .m = m, .line = i->line };
		set_text(&o, "name", i->pairs[k].name);
		if (i->pairs[k].has_value)
			set_text(&o, "value", i->pairs[k].value);
		add(&out, map_of(&o));
	}
	return list_of(&out);
}

static struct cel_value heredocs_of(struct making *m, const struct df_instruction *i)
{
	struct items out = { .m = m };
	for (size_t k = 0; k < i->n_heredocs; k++) {
		struct fields o = { .m = m, .line = i->heredocs[k].line };
		set_text(&o, "name", i->heredocs[k].name);
		set_text(&o, "content", i->heredocs[k].content);
		add(&out, map_of(&o));
	}
	return list_of(&out);
}

static struct cel_value commands_of(struct making *m, const struct df_instruction *i)
{
	struct df_command_vec all = { .max = DF_COMMANDS_MAX };
	struct items out = { .m = m };
	m->failed = m->failed || !df_commands(&m->f, i, m->arena, &all);
	for (size_t k = 0; k < all.len; k++) {
		const struct df_command *c = &all.ptr[k];
		struct fields o = { .m = m, .line = c->line };
		set_text(&o, "name", c->name);
		set(&o, "args", texts(m, c->args, c->n_args));
		set(&o, "line", cel_int(c->line));
		set_text(&o, "after", bh_slice_str(c->after));
		set(&o, "pipeline", cel_int(c->pipeline));
		set(&o, "substituted", cel_bool(c->is_substituted));
		add(&out, map_of(&o));
	}
	df_command_vec_done(&all);
	return list_of(&out);
}

static struct cel_value user_of(struct making *m, size_t before, uint32_t stage)
{
	const struct df_instruction *user = df_last(&m->f, before, stage, "USER");
	return user ? expanded(m, (size_t)(user - m->f.all.ptr), user->args) : cel_string((struct bh_slice){ (const uint8_t *)"", 0 });
}

static void set_shell(struct fields *o, const struct df_file *f, size_t at, uint32_t stage)
{
	static const struct bh_slice usual[] = { BH_SLICE_LIT("/bin/sh"), BH_SLICE_LIT("-c") };
	const struct df_instruction *shell = df_last(f, at, stage, "SHELL");
	bool is_told = shell && shell->is_exec;
	set(o, "shell", texts(o->m, is_told ? shell->words : usual, is_told ? shell->n_words : 2));
}

/* The parts of an image's name. */
static void set_name(struct fields *o, struct bh_slice name)
{
	struct bh_slice image, digest;
	size_t colon = 0;
	(void)bh_slice_cut(name, '@', &image, &digest);
	for (size_t i = image.len; i-- > 0 && image.ptr[i] != '/';)
		if (image.ptr[i] == ':')
			colon = i;
	set_text(o, "image", colon ? bh_slice_sub(image, 0, colon) : image);
	set_text(o, "tag", colon ? bh_slice_sub(image, colon + 1, image.len) : BH_SLICE_LIT(""));
	set_text(o, "digest", digest);
}

/* {image, tag, digest, platform, written, isStage} of a FROM; unknown where an argument has no default. */
static struct cel_value base_of(struct making *m, const struct df_stage *s)
{
	struct fields o = { .m = m, .line = s->line };
	struct bh_slice name = s->base, platform = df_flag(&m->f.all.ptr[s->from], "platform");
	set_text(&o, "written", s->written);
	set(&o, "isStage", cel_bool(s->of != DF_NO_STAGE));
	if (platform.ptr)
		set_text(&o, "platform", platform);
	if (s->written.len && name.len == 0) {
		static const char *const open[] = { "image", "tag", "digest" };
		for (size_t i = 0; i < 3; i++)
			set(&o, open[i], cel_unknown());
		return map_of(&o);
	}
	set_name(&o, name);
	return map_of(&o);
}

/* {image, tag, digest, written, isStage} of what COPY --from names. */
static struct cel_value from_of(struct making *m, const struct df_instruction *i, struct bh_slice written)
{
	struct fields o = { .m = m, .line = i->line };
	set_text(&o, "written", written);
	set(&o, "isStage", cel_bool(df_stage_before(&m->f, i->stage, written) != DF_NO_STAGE));
	set_name(&o, written);
	return map_of(&o);
}

static struct cel_value instruction(struct making *m, size_t at)
{
	static const char *const with_commands[] = { "RUN", "CMD", "ENTRYPOINT", NULL };
	const struct df_instruction *i = &m->f.all.ptr[at];
	struct fields o = { .m = m, .line = i->line };
	bool in_stage = i->stage != DF_NO_STAGE;
	set_text(&o, "instruction", i->keyword);
	set(&o, "line", cel_int(i->line));
	set_text(&o, "args", i->args);
	set_text(&o, "form", i->is_exec ? BH_SLICE_LIT("exec") : i->is_old_form ? BH_SLICE_LIT("old") : BH_SLICE_LIT("shell"));
	set(&o, "trigger", cel_bool(i->is_trigger));
	set(&o, "flags", flags_of(m, i));
	set(&o, "words", texts(m, i->words, i->n_words));
	set(&o, "pairs", pairs_of(m, i));
	set(&o, "heredocs", heredocs_of(m, i));
	struct items none = { .m = m };
	set(&o, "commands", bh_slice_is_one_of(i->keyword, with_commands) ? commands_of(m, i) : list_of(&none));
	set(&o, "stage", cel_int(in_stage ? (int64_t)i->stage : -1));
	set_text(&o, "stageName", in_stage ? m->f.stages.ptr[i->stage].name : BH_SLICE_LIT(""));
	set(&o, "isLastStage", cel_bool(in_stage && i->stage + 1 == m->f.stages.len));
	set_text(&o, "previous", in_stage && at > m->f.stages.ptr[i->stage].first ? m->f.all.ptr[at - 1].keyword : BH_SLICE_LIT(""));
	set(&o, "value", bh_slice_eq_str(i->keyword, "USER") || bh_slice_eq_str(i->keyword, "WORKDIR") ? expanded(m, at, i->args) : cel_null());
	if (in_stage && m->f.stages.ptr[i->stage].from == at)
		set(&o, "base", base_of(m, &m->f.stages.ptr[i->stage]));
	struct bh_slice from = df_flag(i, "from");
	if (from.ptr && in_stage)
		set(&o, "from", from_of(m, i, from));
	if (in_stage) {
		set(&o, "user", user_of(m, at, i->stage));
		set(&o, "hasWorkdir", cel_bool(df_last(&m->f, at, i->stage, "WORKDIR") != NULL));
		set_shell(&o, &m->f, at, i->stage);
	}
	return map_of(&o);
}

/* ---- the file ---- */

static struct cel_value stage(struct making *m, uint32_t k)
{
	const struct df_stage *s = &m->f.stages.ptr[k];
	struct fields o = { .m = m, .line = s->line };
	struct items list = { .m = m };
	set(&o, "index", cel_int(k));
	set_text(&o, "name", s->name);
	set(&o, "base", base_of(m, s));
	set(&o, "user", user_of(m, SIZE_MAX, k));
	set(&o, "hasHealthcheck", cel_bool(df_last(&m->f, SIZE_MAX, k, "HEALTHCHECK") != NULL));
	for (size_t i = s->first; i < s->end; i++)
		add(&list, m->instructions[i]);
	set(&o, "instructions", list_of(&list));
	set(&o, "line", cel_int(s->line));
	return map_of(&o);
}

static int add_object(struct making *m, const char *kind, struct cel_value spec, uint32_t line, struct bh_err *err)
{
	struct fields meta = { .m = m, .line = line }, o = { .m = m, .line = line };
	struct bh_slice name = m->d->file;
	for (size_t i = name.len; i-- > 0;)
		if (name.ptr[i] == '/') {
			name = bh_slice_sub(name, i + 1, name.len);
			break;
		}
	set_text(&meta, "name", name);
	set_text(&o, "apiVersion", BH_SLICE_LIT("bulkhead.io/v1"));
	set_text(&o, "kind", bh_slice_str(kind));
	set(&o, "metadata", map_of(&meta));
	set(&o, "spec", spec);
	struct cel_value whole = map_of(&o);
	return m->failed ? 0 : kube_set_add(m->d, whole, err);
}

static int make(struct making *m, struct bh_err *err)
{
	struct fields spec = { .m = m, .line = 1 };
	struct items stages = { .m = m };
	int rc = 0;
	m->instructions = bh_arena_array(m->arena, m->f.all.len + 1, sizeof(*m->instructions));
	m->failed = !m->instructions;
	for (size_t i = 0; !m->failed && i < m->f.all.len; i++)
		m->instructions[i] = instruction(m, i);
	for (uint32_t k = 0; !m->failed && k < m->f.stages.len; k++)
		add(&stages, stage(m, k));
	set_text(&spec, "syntax", m->f.syntax);
	set_text(&spec, "escape", (struct bh_slice){ &m->f.escape, 1 });
	set(&spec, "stages", list_of(&stages));
	struct cel_value all = map_of(&spec);
	rc = m->failed ? 0 : add_object(m, "Dockerfile", all, m->f.stages.len ? m->f.stages.ptr[m->f.stages.len - 1].line : 1, err);
	for (size_t i = 0; rc == 0 && !m->failed && i < m->f.all.len; i++)
		rc = add_object(m, "Instruction", m->instructions[i], m->f.all.ptr[i].line, err);
	return m->failed ? bh_fail(err, BH_ELIMIT, 0, "the Dockerfiles need more memory than there is for manifests") : rc;
}

static bool knows_text(void *ctx, struct bh_slice file, struct bh_slice text)
{
	static const char *const manifests[] = { ".yaml", ".yml", ".json" };
	(void)ctx;
	for (size_t i = 0; i < 3; i++)
		if (bh_slice_ends(file, bh_slice_str(manifests[i])))
			return false;
	return df_is_name(file) || df_is_text(text);
}

static int read_text(void *ctx, const struct kube_document *d, struct bh_slice bytes, struct bh_err *err)
{
	struct making m = { .d = d, .arena = kube_set_arena(d->set) };
	struct bh_err why = { 0 };
	(void)ctx;
	if (df_parse(bytes, &m.f, &why) < 0)
		return kube_set_complain(d, 0, why.text, err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < m.f.problems.len; i++)
		rc = kube_set_complain(d, m.f.problems.ptr[i].line, m.f.problems.ptr[i].text, err);
	rc = rc < 0 ? rc : make(&m, err);
	df_done(&m.f);
	return rc;
}

const struct kube_foreign kube_dockerfile = { .knows_text = knows_text, .read_text = read_text };
