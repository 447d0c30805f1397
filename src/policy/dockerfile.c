/* dockerfile.c: from a Dockerfile as dockerfile/ reads it to the instructions that made an image, spelled as histories spell them. */
#include "policy/dockerfile.h"

#include "base/buf.h"
#include "dockerfile/dockerfile.h"

#define STAGES_DEPTH_MAX 512u

static int too_large(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u instructions or %u MiB of them", DF_INSTRUCTIONS_MAX, DF_TEXT_BYTES_MAX >> 20);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool single_blanks(struct bh_arena *a, struct bh_slice s, struct bh_slice *out)
{
	s = bh_slice_trim(s);
	uint8_t *p = bh_arena_alloc(a, s.len + 1);
	size_t n = 0;
	for (size_t i = 0; p && i < s.len; i++)
		if (!is_blank(s.ptr[i]) || (n && p[n - 1] != ' '))
			p[n++] = is_blank(s.ptr[i]) ? ' ' : s.ptr[i];
	*out = (struct bh_slice){ p, n };
	return p != NULL;
}

/* Is the instruction nothing but one here-document? Builders record its content alone then. */
static bool is_sole(const struct df_instruction *i)
{
	return i->n_heredocs == 1 && bh_slice_starts(i->whole, BH_SLICE_LIT("<<")) && bh_slice_find(i->whole, ' ') == i->whole.len;
}

static void spell(const struct df_instruction *i, struct bh_buf *out)
{
	bh_buf_clear(out);
	if (!is_sole(i))
		bh_buf_add(out, i->whole);
	for (size_t k = 0; k < i->n_heredocs; k++) {
		bh_buf_add_byte(out, '\n');
		bh_buf_add(out, i->heredocs[k].content);
		if (!is_sole(i))
			bh_buf_add(out, i->heredocs[k].name);
	}
}

static int add_all(struct policy_dockerfile *d, const struct df_file *f, struct bh_err *err)
{
	struct bh_buf text;
	bool ok = true;
	bh_buf_init(&text, DF_TEXT_BYTES_MAX);
	for (size_t k = 0; ok && k < f->all.len; k++) {
		const struct df_instruction *i = &f->all.ptr[k];
		struct policy_instruction out = { .line = i->line };
		spell(i, &text);
		ok = !text.failed && bh_arena_copy(&d->arena, i->is_trigger ? BH_SLICE_LIT("ONBUILD") : i->keyword, &out.keyword)
		     && single_blanks(&d->arena, bh_buf_slice(&text), &out.text) && policy_instruction_vec_push(&d->all, out);
	}
	bh_buf_done(&text);
	return ok ? 0 : too_large(err);
}

static int add_path(struct policy_dockerfile *d, const struct df_file *f, struct bh_err *err)
{
	uint32_t chain[STAGES_DEPTH_MAX] = { 0 }, depth = 0;
	for (uint32_t at = (uint32_t)f->stages.len - 1; at != DF_NO_STAGE && depth < STAGES_DEPTH_MAX; at = f->stages.ptr[at].of) /* always an earlier one, so this ends */
		chain[depth++] = at;
	const struct df_stage *lowest = &f->stages.ptr[chain[depth - 1]];
	d->base_line = lowest->line;
	for (uint32_t k = depth; k-- > 0;)
		for (size_t i = f->stages.ptr[chain[k]].first; i < f->stages.ptr[chain[k]].end; i++)
			if (!policy_instruction_vec_push(&d->path, d->all.ptr[i]))
				return too_large(err);
	return bh_arena_copy(&d->arena, lowest->base, &d->base) ? 0 : too_large(err);
}

int policy_dockerfile_parse(struct bh_slice text, struct policy_dockerfile *ret, struct bh_err *err)
{
	struct policy_dockerfile d = { .all.max = DF_INSTRUCTIONS_MAX, .path.max = DF_INSTRUCTIONS_MAX };
	struct df_file f;
	int rc = df_parse(text, &f, err);
	if (rc < 0)
		return rc;
	bh_arena_init(&d.arena, 4 * DF_TEXT_BYTES_MAX);
	rc = f.stages.len ? add_all(&d, &f, err) : bh_fail(err, BH_EMALFORMED, 0, "no FROM in it");
	rc = rc < 0 ? rc : add_path(&d, &f, err);
	df_done(&f);
	if (rc < 0)
		policy_dockerfile_done(&d);
	else
		*ret = d;
	return rc;
}

void policy_dockerfile_done(struct policy_dockerfile *d)
{
	policy_instruction_vec_done(&d->all);
	policy_instruction_vec_done(&d->path);
	bh_arena_done(&d->arena);
}
