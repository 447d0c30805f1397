/* mend_instruction.c: cures of instructions: their keyword, form and place, and instructions that are put in. */
#include "dockerfile/mending.h"

#include "base/cleanup.h"
#include "dockerfile/parse.h"

#define LINE_BYTES_MAX 65536u
#define PORT_MAX 65535u
#define USER_LINE "USER 65532:65532" /* as distroless' nonroot: in no distribution's range, a number for runAsNonRoot */

/* ---- keywords and forms ---- */

static bool is_unpacked_or_fetched(struct bh_slice word)
{
	static const char *const ends[] = { ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tbz2", ".txz", ".lzma", ".z" };
	bool special = bh_slice_search(word, "://") || bh_slice_search(word, "<<") || bh_slice_starts(word, BH_SLICE_LIT("git@")) || bh_slice_find(word, '$') < word.len ||
		       bh_slice_find(word, '*') < word.len;
	for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
		size_t n = strlen(ends[k]), same = 0;
		while (word.len >= n && same < n && bh_lower(word.ptr[word.len - n + same]) == (uint8_t)ends[k][same])
			same++;
		special |= same == n;
	}
	return special;
}

/* Several files go into a folder. */
static void end_with_slash(struct df_mending *m)
{
	if (m->i->n_words <= 2 || m->i->n_heredocs)
		return;
	struct bh_slice to = m->i->words[m->i->n_words - 1];
	bool quoted = to.len > 1 && (to.ptr[to.len - 1] == '"' || to.ptr[to.len - 1] == '\'');
	struct bh_slice bare = quoted ? bh_slice_sub(to, 0, to.len - 1) : to;
	if (bare.len == 0 || bare.ptr[bare.len - 1] == '/' || bare.ptr[bare.len - 1] == '.' || bh_slice_find(to, '$') < to.len)
		return;
	if (m->i->is_exec)
		df_mend_refuse(m, "it is written as a list, which is not changed");
	else
		df_mend_put_behind(m, bare, "/");
}

void df_cure_copy_many(struct df_mending *m)
{
	if (bh_slice_eq_str(m->i->keyword, "COPY"))
		end_with_slash(m);
}

void df_cure_add_local(struct df_mending *m)
{
	static const char *const alike[] = { "chown", "chmod", "link", "exclude", NULL };
	if (!bh_slice_eq_str(m->i->keyword, "ADD") || m->i->n_words < 2)
		return;
	for (size_t k = 0; k < m->i->n_words; k++)
		if (is_unpacked_or_fetched(m->i->words[k]))
			return;
	for (size_t k = 0; k < m->i->n_flags; k++)
		if (!bh_slice_is_one_of(m->i->flags[k].name, alike)) {
			df_mend_refuse(m, "COPY has no such flag");
			return;
		}
	struct bh_slice keyword = df_mend_keyword(m);
	df_mend_replace(m, keyword, keyword.len && keyword.ptr[0] == 'a' ? "copy" : "COPY");
	end_with_slash(m); /* as a COPY needs it */
}

/* A value in the old form goes up to the end of the line; its quotes are taken off there as they are in the new one. */
void df_cure_legacy_pair(struct df_mending *m)
{
	struct bh_slice rest = m->i->args, name = df_take_word(&rest, m->f->escape), value = bh_slice_trim(rest);
	if (!m->i->is_old_form)
		return;
	struct bh_slice first = value;
	bool is_one = bh_slice_eq(df_take_word(&first, m->f->escape), value), is_bare = bh_slice_find(value, '"') == value.len && bh_slice_find(value, '\'') == value.len
										       && bh_slice_find(value, m->f->escape) == value.len;
	if (m->i->is_trigger || value.len == 0 || (!is_one && !is_bare)) {
		df_mend_refuse(m, "its value has quotes in it that would be read otherwise");
		return;
	}
	struct bh_slice written_name = df_written(m->i, name), written = df_written(m->i, value);
	if (!written_name.ptr || !written.ptr) {
		df_mend_refuse(m, "it is written in a way that is not changed");
		return;
	}
	df_mend_put(m, written_name.ptr + written_name.len, written.ptr, is_one ? BH_SLICE_LIT("=") : BH_SLICE_LIT("=\""));
	if (!is_one)
		df_mend_put_behind(m, value, "\"");
}

void df_cure_maintainer(struct df_mending *m)
{
	struct bh_slice who = bh_slice_trim(m->i->args);
	if (!bh_slice_eq_str(m->i->keyword, "MAINTAINER"))
		return;
	bool quoted = who.len > 1 && who.ptr[0] == '"' && who.ptr[who.len - 1] == '"';
	struct bh_slice inner = quoted ? bh_slice_sub(who, 1, who.len - 2) : who;
	if (m->i->is_trigger || inner.len == 0 || bh_slice_find(inner, '"') < inner.len || bh_slice_find(inner, '$') < inner.len || bh_slice_find(inner, m->f->escape) < inner.len) {
		df_mend_refuse(m, "the name would be read otherwise in a LABEL");
		return;
	}
	struct bh_slice keyword = df_mend_keyword(m), written = df_written(m->i, who);
	if (!written.ptr) {
		df_mend_refuse(m, "it is written in a way that is not changed");
		return;
	}
	df_mend_put(m, keyword.ptr, written.ptr, quoted ? BH_SLICE_LIT("LABEL org.opencontainers.image.authors=") : BH_SLICE_LIT("LABEL org.opencontainers.image.authors=\""));
	if (!quoted)
		df_mend_put_behind(m, who, "\"");
}

/* Words that no shell would read otherwise, nor look for in itself. */
static bool is_plain(const struct df_mending *m)
{
	static const char *const builtins[] = { ".", ":", "cd", "eval", "export", "set", "source", "test", "trap", "ulimit", "umask", "unset", "wait", "if", "for", "while", "until", "case", "!", NULL };
	for (size_t k = 0; k < m->i->args.len; k++) {
		uint8_t c = m->i->args.ptr[k];
		if (c < ' ' || c >= 0x7f || strchr("$`\"'\\|&;<>()*?[]{}~#!^%", c))
			return false;
	}
	return m->i->n_words > 0 && !bh_slice_is_one_of(m->i->words[0], builtins) && bh_slice_find(m->i->words[0], '=') == m->i->words[0].len;
}

/* "exec" in front is what the exec form does itself. */
static void put_list(struct df_mending *m)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	size_t first = m->i->n_words > 1 && bh_slice_eq_str(m->i->words[0], "exec") ? 1 : 0;
	struct bh_slice kept = { 0 };
	bh_buf_init(&out, LINE_BYTES_MAX);
	bh_buf_add_byte(&out, '[');
	for (size_t k = first; k < m->i->n_words; k++)
		bh_buf_printf(&out, "%s\"%.*s\"", k > first ? ", " : "", BH_SLICE_FMT(m->i->words[k]));
	bh_buf_add_byte(&out, ']');
	m->failed |= out.failed || !bh_arena_copy(m->arena, bh_buf_slice(&out), &kept);
	struct bh_slice written = df_written(m->i, bh_slice_trim(m->i->args));
	if (written.ptr && !m->failed)
		df_mend_put(m, written.ptr, written.ptr + written.len, kept);
}

void df_cure_json_cmd(struct df_mending *m)
{
	static const char *const starts[] = { "CMD", "ENTRYPOINT", NULL };
	if (!bh_slice_is_one_of(m->i->keyword, starts) || m->i->is_exec || df_mend_last(m, "SHELL"))
		return;
	if (m->i->is_trigger || m->i->n_spans > 1 || !is_plain(m))
		df_mend_refuse(m, "a shell has to read it: variables, quotes, several commands or a word of the shell's own");
	else
		put_list(m);
}

/* ---- names of images ---- */

/* Behind the name as it is written, which stays: the tag tells people what it was. */
void df_cure_base_digest(struct df_mending *m)
{
	struct bh_slice digest = { 0 };
	const char *why = "no registry is asked; --pin does";
	if (!bh_slice_eq_str(m->i->keyword, "FROM") || m->i->is_trigger || m->i->n_words == 0 || m->i->stage == DF_NO_STAGE)
		return;
	const struct df_stage *s = &m->f->stages.ptr[m->i->stage];
	if (s->of != DF_NO_STAGE || bh_slice_eq_str(s->base, "scratch") || bh_slice_find(s->base, '@') < s->base.len)
		return;
	if (bh_slice_find(s->written, '$') < s->written.len)
		df_mend_refuse(m, "its name has a variable in it");
	else if (!m->options->digests || !m->options->digests->digest_of(m->options->digests->ctx, s->base, m->arena, &digest, &why))
		df_mend_refuse(m, why);
	else
		df_mend_put_behind(m, m->i->words[0], bh_arena_printf(m->arena, "@%.*s", BH_SLICE_FMT(digest)));
}

/* ---- instructions that go ---- */

/* All but the last of the stage. */
static void remove_if_not_last(struct df_mending *m, const char *keyword)
{
	if (!bh_slice_eq_str(m->i->keyword, keyword) || m->i->is_trigger || m->i->stage == DF_NO_STAGE)
		return;
	for (size_t k = m->at + 1; k < m->f->stages.ptr[m->i->stage].end; k++)
		m->removes |= bh_slice_eq_str(m->f->all.ptr[k].keyword, keyword) && !m->f->all.ptr[k].is_trigger;
	if (!m->removes)
		return;
	size_t from = (size_t)(m->i->written.ptr - m->text.ptr), to = from + m->i->written.len;
	while (from && m->text.ptr[from - 1] != '\n')
		from--;
	to += bh_slice_find(bh_slice_sub(m->text, to, m->text.len), '\n');
	df_mend_put(m, m->text.ptr + from, m->text.ptr + to + (to < m->text.len), BH_SLICE_LIT(""));
}

void df_cure_several_cmd(struct df_mending *m)
{
	remove_if_not_last(m, "CMD");
}

void df_cure_several_entrypoint(struct df_mending *m)
{
	remove_if_not_last(m, "ENTRYPOINT");
}

void df_cure_several_healthcheck(struct df_mending *m)
{
	remove_if_not_last(m, "HEALTHCHECK");
}

/* ---- instructions that come ---- */

static const struct df_stage *last_stage(const struct df_mending *m)
{
	return m->f->stages.len ? &m->f->stages.ptr[m->f->stages.len - 1] : NULL;
}

static const struct df_instruction *last_at_end(const struct df_mending *m, const char *keyword)
{
	return df_last(m->f, SIZE_MAX, (uint32_t)m->f->stages.len - 1, keyword);
}

/* Is the instruction the one that what ends the last stage is put behind? */
static bool is_place_for_end(const struct df_mending *m)
{
	static const char *const last_words[] = { "CMD", "ENTRYPOINT", "HEALTHCHECK", "EXPOSE", "STOPSIGNAL", NULL };
	const struct df_stage *s = last_stage(m);
	size_t at = s ? s->end : 0;
	if (!s || s->end == 0)
		return false;
	while (at - 1 > s->from && bh_slice_is_one_of(m->f->all.ptr[at - 1].keyword, last_words))
		at--;
	return m->at == at - 1;
}

static bool is_root(struct bh_slice user)
{
	struct bh_slice name, group;
	while (user.len && (user.ptr[0] == '"' || user.ptr[0] == '\''))
		user = bh_slice_sub(user, 1, user.len);
	(void)bh_slice_cut(user, ':', &name, &group);
	while (name.len && (name.ptr[name.len - 1] == '"' || name.ptr[name.len - 1] == '\''))
		name.len--;
	return bh_slice_eq_str(name, "root") || bh_slice_eq_str(name, "0");
}

void df_cure_user_root(struct df_mending *m)
{
	if (!is_place_for_end(m))
		return;
	const struct df_instruction *user = last_at_end(m, "USER");
	if (!user || is_root(user->args))
		df_mend_add_behind(m, USER_LINE);
}

/* The first port that the last stage, or one that it is FROM, says it listens on; 0: none that can be read. */
static unsigned exposed_port(const struct df_mending *m)
{
	const struct df_instruction *expose = last_at_end(m, "EXPOSE");
	unsigned port = 0;
	for (size_t k = 0; expose && expose->n_words && k < expose->words[0].len && port <= PORT_MAX; k++) {
		uint8_t c = expose->words[0].ptr[k];
		if (c == '/' && bh_slice_eq_str(bh_slice_sub(expose->words[0], k, 5), "/tcp"))
			return port;
		if (c < '0' || c > '9')
			return 0;
		port = port * 10 + (unsigned)(c - '0');
	}
	return port <= PORT_MAX ? port : 0;
}

/* Sockets that listen (state 0A) in the kernel's own tables: no program of the image is asked but grep. */
void df_cure_healthcheck(struct df_mending *m)
{
	if (!is_place_for_end(m) || last_at_end(m, "HEALTHCHECK"))
		return;
	unsigned port = exposed_port(m);
	if (port == 0)
		df_mend_refuse(m, "no EXPOSE tells a port of TCP, and what else shows that the program works, only you know");
	else
		df_mend_add_behind(m, bh_arena_printf(m->arena, "HEALTHCHECK CMD [\"grep\", \"-Eqs\", \":%04X [0-9A-F]+:0000 0A\", \"/proc/net/tcp\", \"/proc/net/tcp6\"]", port));
}
