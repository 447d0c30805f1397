/*
 * dockerfile.c: reading (docs.docker.com/reference/dockerfile):
 *
 *     # escape=`                    another character for joining lines; only above everything else
 *     ARG V=1                       also above the first FROM; FROM uses it
 *     FROM image:$V AS name         starts a stage; the image may be an earlier stage
 *     RUN a && \                    joined with the next line; comment and empty lines between don't end it
 *         b
 *     RUN <<EOF                     here-documents: lines up to EOF belong to it
 *     EOF
 */
#include "policy/dockerfile.h"

#include "base/reader.h"
#include "base/buf.h"

#define TEXT_BYTES_MAX (16u << 20)
#define INSTRUCTIONS_MAX 4096u
#define STAGES_MAX 512u
#define WORD_BYTES_MAX 32u
#define HEREDOCS_MAX 16u

struct parser {
	struct policy_dockerfile *d;
	struct bh_reader in;
	uint32_t line;         /* of the last one taken */
	char escape;
	struct bh_buf text;    /* of the instruction at work */
};

struct stage {
	struct bh_slice name, from;
	size_t first, end;     /* of its instructions, FROM left out */
	uint32_t line;
};

static int too_large(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u instructions or %u MiB of them", INSTRUCTIONS_MAX, TEXT_BYTES_MAX >> 20);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Of a variable's or here-document's name. */
static bool is_name_byte(uint8_t c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static bool take_line(struct parser *p, struct bh_slice *line)
{
	if (!bh_take_line(&p->in, line))
		return false;
	p->line++;
	return true;
}

/* "# escape=`" among the directives at the top. */
static void read_directives(struct parser *p)
{
	struct bh_reader ahead = p->in;
	struct bh_slice line, key, value;
	while (bh_take_line(&ahead, &line)) {
		line = bh_slice_trim(line);
		if (line.len == 0 || line.ptr[0] != '#' || !bh_slice_cut(bh_slice_sub(line, 1, line.len), '=', &key, &value))
			return;
		value = bh_slice_trim(value);
		if (bh_slice_eq_str(bh_slice_trim(key), "escape") && value.len == 1)
			p->escape = (char)value.ptr[0];
	}
}

/* Names of the here-documents that a line starts: "<<EOF", "<<-'EOF'". */
static size_t find_heredocs(struct bh_slice s, struct bh_slice names[HEREDOCS_MAX], bool chomp[HEREDOCS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i + 2 < s.len && n < HEREDOCS_MAX; i++) {
		if (s.ptr[i] != '<' || s.ptr[i + 1] != '<' || (i && !is_blank(s.ptr[i - 1]) && (s.ptr[i - 1] < '0' || s.ptr[i - 1] > '9')))
			continue;
		size_t at = i + 2;
		chomp[n] = s.ptr[at] == '-';
		at += chomp[n];
		uint8_t quote = at < s.len && (s.ptr[at] == '\'' || s.ptr[at] == '"') ? s.ptr[at++] : 0;
		size_t start = at;
		while (at < s.len && (quote ? s.ptr[at] != quote : is_name_byte(s.ptr[at], at == start)))
			at++;
		if (at > start)
			names[n++] = bh_slice_sub(s, start, at - start);
		i = at;
	}
	return n;
}

static struct bh_slice without_tabs(struct bh_slice s)
{
	while (s.len && s.ptr[0] == '\t')
		s = bh_slice_sub(s, 1, s.len);
	return s;
}

/* The lines of one here-document, up to its name. `sole`: the instruction is nothing but it, and builders record its content alone. */
static void take_heredoc(struct parser *p, struct bh_slice name, bool chomp, bool sole)
{
	struct bh_slice line;
	while (take_line(p, &line)) {
		struct bh_slice bare = bh_slice_trim(chomp ? without_tabs(line) : line);
		if (bh_slice_eq(bare, name))
			break;
		bh_buf_add(&p->text, line);
		bh_buf_add_byte(&p->text, '\n');
	}
	if (!sole)
		bh_buf_add(&p->text, name);
}

static void take_heredocs(struct parser *p, struct bh_slice keyword)
{
	static const char *const with[] = { "RUN", "COPY", "ADD" };
	struct bh_slice names[HEREDOCS_MAX], text = bh_slice_trim(bh_buf_slice(&p->text)), copy;
	bool chomp[HEREDOCS_MAX], takes = false;
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
		takes = takes || bh_slice_eq_str(keyword, with[i]);
	if (!takes || !bh_arena_copy(&p->d->arena, text, &copy)) /* the buffer moves below */
		return;
	size_t n = find_heredocs(copy, names, chomp);
	bool sole = n == 1 && bh_slice_starts(copy, BH_SLICE_LIT("<<")) && bh_slice_find(copy, ' ') == copy.len;
	if (sole)
		bh_buf_clear(&p->text);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_byte(&p->text, '\n');
		take_heredoc(p, names[i], chomp[i], sole);
	}
}

/* The rest of an instruction whose first line is given: up to a line that is not joined with the next one. */
static void take_joined(struct parser *p, struct bh_slice line)
{
	for (;;) {
		struct bh_slice s = bh_slice_trim(line);
		bool comment = s.len == 0 || s.ptr[0] == '#';
		bool more = s.len && s.ptr[s.len - 1] == (uint8_t)p->escape;
		if (!comment || p->text.len == 0) {
			bh_buf_add(&p->text, more ? bh_slice_sub(s, 0, s.len - 1) : s);
			bh_buf_add_byte(&p->text, ' ');
			if (!more)
				return;
		}
		if (!take_line(p, &line))
			return;
	}
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

static bool take_keyword(struct bh_slice *s, struct bh_arena *a, struct bh_slice *keyword)
{
	size_t n = 0;
	while (n < s->len && !is_blank(s->ptr[n]))
		n++;
	uint8_t *p = n && n < WORD_BYTES_MAX ? bh_arena_alloc(a, n) : NULL;
	for (size_t i = 0; p && i < n; i++)
		p[i] = s->ptr[i] >= 'a' && s->ptr[i] <= 'z' ? (uint8_t)(s->ptr[i] - 'a' + 'A') : s->ptr[i];
	*keyword = (struct bh_slice){ p, n };
	*s = bh_slice_trim(bh_slice_sub(*s, n, s->len));
	return p != NULL;
}

static int take_instruction(struct parser *p, struct bh_slice line, struct bh_err *err)
{
	struct policy_instruction i = { .line = p->line };
	struct bh_slice rest = bh_slice_trim(line);
	if (!take_keyword(&rest, &p->d->arena, &i.keyword))
		return bh_fail(err, BH_EMALFORMED, 0, "line %u: this is no instruction", p->line);
	bh_buf_clear(&p->text);
	take_joined(p, rest);
	take_heredocs(p, i.keyword);
	if (p->text.failed || !single_blanks(&p->d->arena, bh_buf_slice(&p->text), &i.text) || !policy_instruction_vec_push(&p->d->all, i))
		return too_large(err);
	return 0;
}

/* ---- stages ---- */

static struct bh_slice next_word(struct bh_slice *s)
{
	struct bh_slice word;
	(void)bh_slice_cut(bh_slice_trim(*s), ' ', &word, s);
	return word;
}

static bool same_word(struct bh_slice a, struct bh_slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if ((a.ptr[i] | 0x20) != (b.ptr[i] | 0x20))
			return false;
	return true;
}

/* "--platform=x image AS name" */
static void read_from(const struct policy_instruction *i, struct stage *s)
{
	struct bh_slice rest = i->text, word = next_word(&rest);
	while (bh_slice_starts(word, BH_SLICE_LIT("--")))
		word = next_word(&rest);
	*s = (struct stage){ .from = word, .line = i->line };
	if (same_word(next_word(&rest), BH_SLICE_LIT("AS")))
		s->name = next_word(&rest);
}

static size_t split_stages(const struct policy_dockerfile *d, struct stage stages[STAGES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < d->all.len; i++) {
		if (bh_slice_eq_str(d->all.ptr[i].keyword, "FROM") && n < STAGES_MAX) {
			read_from(&d->all.ptr[i], &stages[n++]);
			stages[n - 1].first = i + 1;
		}
		if (n)
			stages[n - 1].end = i + 1;
	}
	return n;
}

/* The stage that `from` names, among those before `n`; n when it is an image. */
static size_t find_stage(const struct stage *stages, size_t n, struct bh_slice from)
{
	for (size_t i = n; i-- > 0;)
		if (stages[i].name.len && same_word(stages[i].name, from))
			return i;
	return n;
}

static bool add_path(struct policy_dockerfile *d, const struct stage *stages, size_t last)
{
	size_t chain[STAGES_MAX], depth = 0;
	for (size_t at = last;; depth++) {
		chain[depth] = at;
		size_t next = find_stage(stages, at, stages[at].from);
		if (next == at) {
			d->base = stages[at].from;
			d->base_line = stages[at].line;
			break;
		}
		at = next; /* always an earlier one, so this ends */
	}
	for (size_t k = depth + 1; k-- > 0;)
		for (size_t i = stages[chain[k]].first; i < stages[chain[k]].end; i++)
			if (!policy_instruction_vec_push(&d->path, d->all.ptr[i]))
				return false;
	return true;
}

/* The default of an argument above the first FROM; false when it has none. */
static bool argument(const struct policy_dockerfile *d, struct bh_slice name, struct bh_slice *value)
{
	for (size_t i = 0; i < d->all.len && bh_slice_eq_str(d->all.ptr[i].keyword, "ARG"); i++) {
		struct bh_slice rest = d->all.ptr[i].text;
		while (rest.len) {
			struct bh_slice key, word = next_word(&rest);
			if (bh_slice_cut(word, '=', &key, value) && bh_slice_eq(key, name))
				return true;
		}
	}
	return false;
}

static struct bh_slice unquoted(struct bh_slice s)
{
	bool quoted = s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0];
	return quoted ? bh_slice_sub(s, 1, s.len - 2) : s;
}

/* One "$NAME", "${NAME}" or "${NAME:-default}" at the start of s; false when its value is not known. */
static bool expand_one(const struct policy_dockerfile *d, struct bh_slice *s, struct bh_buf *out)
{
	struct bh_slice name, fallback = { 0 }, value, rest = bh_slice_sub(*s, 1, s->len);
	if (rest.len && rest.ptr[0] == '{') {
		struct bh_slice inner;
		if (!bh_slice_cut(bh_slice_sub(rest, 1, rest.len), '}', &inner, s))
			return false;
		(void)bh_slice_cut(inner, ':', &name, &fallback);
		fallback = fallback.len && fallback.ptr[0] == '-' ? bh_slice_sub(fallback, 1, fallback.len) : (struct bh_slice){ 0 };
	} else {
		size_t n = 0;
		while (n < rest.len && is_name_byte(rest.ptr[n], n == 0))
			n++;
		name = bh_slice_sub(rest, 0, n);
		*s = bh_slice_sub(rest, n, rest.len);
	}
	if (argument(d, name, &value))
		return bh_buf_add(out, unquoted(value));
	return fallback.len && bh_buf_add(out, fallback);
}

/* An argument without a default leaves the base unknown. */
static bool expand_base(struct policy_dockerfile *d)
{
	struct bh_buf out;
	struct bh_slice s = d->base;
	bool known = true;
	bh_buf_init(&out, 4096);
	while (known && s.len) {
		if (s.ptr[0] == '$') {
			known = expand_one(d, &s, &out);
		} else {
			bh_buf_add_byte(&out, s.ptr[0]);
			s = bh_slice_sub(s, 1, s.len);
		}
	}
	d->base = (struct bh_slice){ 0 };
	bool ok = !known || bh_arena_copy(&d->arena, bh_buf_slice(&out), &d->base);
	bh_buf_done(&out);
	return ok;
}

static int read_stages(struct policy_dockerfile *d, struct bh_err *err)
{
	struct stage *stages = bh_arena_array(&d->arena, STAGES_MAX, sizeof(stages[0]));
	size_t n = stages ? split_stages(d, stages) : 0;
	if (!stages)
		return too_large(err);
	if (n == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "no FROM in it");
	return add_path(d, stages, n - 1) && expand_base(d) ? 0 : too_large(err);
}

int policy_dockerfile_parse(struct bh_slice text, struct policy_dockerfile *ret, struct bh_err *err)
{
	struct policy_dockerfile d = { .all.max = INSTRUCTIONS_MAX, .path.max = INSTRUCTIONS_MAX };
	bh_arena_init(&d.arena, 4 * TEXT_BYTES_MAX);
	struct parser p = { .d = &d, .in = bh_reader_of(text), .escape = '\\' };
	bh_buf_init(&p.text, TEXT_BYTES_MAX);
	if (bh_slice_starts(text, BH_SLICE_LIT("\xef\xbb\xbf"))) /* a byte order mark, as editors on Windows write it */
		(void)bh_skip(&p.in, 3);
	read_directives(&p);
	struct bh_slice line;
	int rc = 0;
	while (rc == 0 && take_line(&p, &line)) {
		struct bh_slice s = bh_slice_trim(line);
		if (s.len && s.ptr[0] != '#')
			rc = take_instruction(&p, line, err);
	}
	bh_buf_done(&p.text);
	rc = rc < 0 ? rc : read_stages(&d, err);
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
