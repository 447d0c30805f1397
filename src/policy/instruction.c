/* instruction.c: see instruction.h. */
#include "policy/instruction.h"

#define INSTRUCTION_BYTES_MAX 4096u
#define BASE_NAME_LABEL "org.opencontainers.image.base.name"
#define BASE_DIGEST_LABEL "org.opencontainers.image.base.digest"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t find_text(struct bh_slice s, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i + len <= s.len; i++)
		if (memcmp(s.ptr + i, text, len) == 0)
			return i;
	return s.len;
}

/* A word that names a shell, or an option of one: what stands between RUN and its command. */
static bool is_shell_word(struct bh_slice w)
{
	static const char *const shells[] = { "/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash", "/bin/zsh", "/usr/bin/bash", "/usr/bin/sh",
					      "sh", "bash", "ash", "pipefail" };
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (bh_slice_eq_str(w, shells[i]))
			return true;
	return w.len > 1 && w.ptr[0] == '-';
}

/* Behind "/bin/sh -c "; s itself when it does not start with a shell and its options, the last of them with a c. */
static struct bh_slice without_shell(struct bh_slice s)
{
	struct bh_slice rest = s, word, last = { 0 };
	bool shell = false;
	while (bh_slice_cut(rest, ' ', &word, &rest) && is_shell_word(word)) {
		shell = shell || word.ptr[0] != '-';
		last = word;
		if (shell && last.ptr[0] == '-' && last.ptr[last.len - 1] == 'c')
			return bh_slice_trim(rest);
	}
	return s;
}

/* Behind "|2 A=1 B=two words ": build arguments, whose values may hold blanks, end where the shell starts. */
static struct bh_slice without_arguments(struct bh_slice s)
{
	static const char *const starts[] = { " /bin/sh ", " /bin/bash ", " /bin/ash " };
	if (s.len < 2 || s.ptr[0] != '|' || s.ptr[1] < '0' || s.ptr[1] > '9')
		return s;
	size_t at = s.len;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t found = find_text(s, starts[i]);
		at = found < at ? found : at;
	}
	return at < s.len ? bh_slice_sub(s, at + 1, s.len) : s;
}

static struct bh_slice without_comment(struct bh_slice s)
{
	static const char *const ends[] = { "# buildkit", "#buildkit" };
	s = bh_slice_trim(s);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bh_slice_ends(s, bh_slice_str(ends[i])))
			return bh_slice_trim(bh_slice_sub(s, 0, s.len - strlen(ends[i])));
	return s;
}

/* The copy with single blanks, after a prefix. */
static const char *squeeze(const char *prefix, struct bh_slice s, struct bh_arena *arena)
{
	s = bh_slice_sub(bh_slice_trim(s), 0, INSTRUCTION_BYTES_MAX);
	size_t n = strlen(prefix);
	char *out = bh_arena_alloc(arena, n + s.len + 1);
	if (!out)
		return NULL;
	memcpy(out, prefix, n);
	for (size_t i = 0; i < s.len; i++) {
		bool blank = is_blank(s.ptr[i]);
		if (!blank || (n && out[n - 1] != ' '))
			out[n++] = blank ? ' ' : (char)s.ptr[i];
	}
	out[n] = '\0';
	return out;
}

const char *policy_instruction_of(struct bh_slice created_by, struct bh_arena *arena)
{
	struct bh_slice s = without_comment(created_by), nop = BH_SLICE_LIT("#(nop)");
	if (bh_slice_starts(s, BH_SLICE_LIT("RUN ")))
		return squeeze("RUN ", without_shell(without_arguments(bh_slice_trim(bh_slice_sub(s, 4, s.len)))), arena);
	struct bh_slice command = without_shell(without_arguments(s));
	if (bh_slice_starts(command, nop))
		return squeeze("", bh_slice_sub(command, nop.len, command.len), arena);
	return squeeze(command.ptr != s.ptr ? "RUN " : "", command, arena);
}

int policy_instructions(struct bh_report *r, struct bh_err *err)
{
	for (size_t i = 0; i < r->history.len; i++) {
		const struct bh_history *h = &r->history.ptr[i];
		if (h->layer >= r->layers.len || h->created_by.len == 0)
			continue;
		const char *text = policy_instruction_of(h->created_by, &r->arena);
		if (!text)
			return bh_fail(err, BH_ELIMIT, 0, "too much text in the image's history");
		r->layers.ptr[h->layer].instruction = bh_slice_str(text);
	}
	return 0;
}

/* ---- the base image ---- */

static struct bh_slice label(const struct bh_report *r, const char *name)
{
	for (size_t i = 0; i < r->labels.len; i++)
		if (bh_slice_eq_str(r->labels.ptr[i].name, name))
			return r->labels.ptr[i].value;
	return (struct bh_slice){ 0 };
}

/* All layers of base, if they are the lowest ones here; else 0. */
static uint32_t shared_layers(const struct bh_report *r, const struct bh_report *base)
{
	if (base->layers.len == 0 || base->layers.len > r->layers.len)
		return 0;
	for (size_t i = 0; i < base->layers.len; i++) {
		const struct bh_layer *a = &base->layers.ptr[i], *b = &r->layers.ptr[i];
		if (a->diff_id.kind == BH_DIGEST_NONE || !bh_digest_eq(&a->diff_id, &b->diff_id))
			return 0;
	}
	return (uint32_t)base->layers.len;
}

static bool starts_container(struct bh_slice created_by, struct bh_arena *scratch)
{
	const char *text = policy_instruction_of(created_by, scratch);
	struct bh_slice s = bh_slice_str(text);
	return bh_slice_starts(s, BH_SLICE_LIT("CMD ")) || bh_slice_starts(s, BH_SLICE_LIT("ENTRYPOINT "));
}

/* Layers below the last CMD or ENTRYPOINT that has layers above it: somebody built on what was ready to run. */
static uint32_t layers_below_command(const struct bh_report *r)
{
	struct bh_arena scratch;
	uint32_t seen = 0, below = 0, candidate = 0;
	bh_arena_init(&scratch, 16u << 20);
	for (size_t i = 0; i < r->history.len; i++) {
		const struct bh_history *h = &r->history.ptr[i];
		if (h->layer != BH_NO_LAYER) {
			below = candidate; /* there is a layer above the candidate */
			seen++;
		} else if (starts_container(h->created_by, &scratch)) {
			candidate = seen;
		}
	}
	bh_arena_done(&scratch);
	return seen == r->layers.len ? below : 0;
}

/* Buildah notes beside each entry what it was built on: an intermediate image's id, or what FROM named. The last name counts. */
static uint32_t layers_below_from(const struct bh_report *r, struct bh_slice *ret_name)
{
	struct bh_slice from = BH_SLICE_LIT("FROM ");
	uint32_t seen = 0, below = 0;
	for (size_t i = 0; i < r->history.len; i++) {
		const struct bh_history *h = &r->history.ptr[i];
		struct bh_slice name = bh_slice_starts(h->comment, from) ? bh_slice_trim(bh_slice_sub(h->comment, from.len, h->comment.len)) : (struct bh_slice){ 0 };
		bool id = true;
		for (size_t k = 0; id && k < name.len; k++)
			id = (name.ptr[k] >= '0' && name.ptr[k] <= '9') || (name.ptr[k] >= 'a' && name.ptr[k] <= 'f');
		if (!id && seen) {
			below = seen;
			*ret_name = name;
		}
		seen += h->layer != BH_NO_LAYER;
	}
	return seen == r->layers.len ? below : 0;
}

static uint32_t layers_below_dockerfile(const struct bh_report *r)
{
	uint32_t n = 0;
	while (n < r->layers.len && r->layers.ptr[n].dockerfile_line == 0)
		n++;
	return n < r->layers.len ? n : 0;
}

static void find_layers(struct bh_report *r, const struct bh_report *base)
{
	struct bh_base_image *b = &r->base;
	bool by_dockerfile = bh_slice_eq_str(b->evidence, "dockerfile");
	b->n_layers = base ? shared_layers(r, base) : 0;
	if (b->n_layers) {
		b->evidence = BH_SLICE_LIT("shared layers");
		return;
	}
	if (by_dockerfile && bh_slice_eq_str(b->name, "scratch")) { /* FROM scratch: there is none */
		*b = (struct bh_base_image){ 0 };
		return;
	}
	if (by_dockerfile)
		b->n_layers = layers_below_dockerfile(r);
	struct bh_slice from = { 0 };
	if (b->n_layers == 0)
		b->n_layers = layers_below_from(r, &from);
	if (b->name.len == 0)
		b->name = from;
	if (b->n_layers == 0)
		b->n_layers = layers_below_command(r);
	if (b->n_layers && !by_dockerfile)
		b->evidence = BH_SLICE_LIT("history");
}

int policy_base_image(struct bh_report *r, const struct bh_report *base, struct bh_err *err)
{
	struct bh_base_image *b = &r->base;
	struct bh_slice name = label(r, BASE_NAME_LABEL), digest = label(r, BASE_DIGEST_LABEL);
	find_layers(r, base);
	if (bh_slice_eq_str(b->evidence, "shared layers")) {
		char text[BH_DIGEST_TEXT_BYTES];
		name = base->target.reference.len ? base->target.reference : base->target.text;
		digest = bh_slice_str(bh_digest_text(&base->target.digest, text));
		if (!bh_arena_copy(&r->arena, name, &b->name) || !bh_arena_copy(&r->arena, digest, &b->digest))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	} else if (name.len || digest.len) {
		b->name = name.len ? name : b->name;
		b->digest = digest;
		b->evidence = BH_SLICE_LIT("label");
	}
	for (uint32_t i = 0; i < b->n_layers; i++)
		r->layers.ptr[i].base = true;
	return 0;
}
