#include "comply/words.h"

#include "base/buf.h"
#include "base/cleanup.h"

#define WORD_BYTES_MAX (256u << 10)
#define VARIABLES_MAX 10000u
#define EXPANDED_BYTES_MAX (1u << 20)

static int too_many(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "a command line of more than %u words or %u KiB", WORDS_MAX, WORD_BYTES_MAX >> 10);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from `at` on; its bytes go to `out`. The index behind it. */
static size_t take_word(struct bh_slice text, size_t at, struct bh_buf *out)
{
	uint8_t quote = 0;
	for (; at < text.len; at++) {
		uint8_t c = text.ptr[at];
		if (quote == 0 && is_blank(c))
			break;
		if (quote == 0 && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote && c == quote) {
			quote = 0;
		} else if (c == '\\' && quote != '\'' && at + 1 < text.len) {
			bh_buf_add_byte(out, text.ptr[++at]);
		} else {
			bh_buf_add_byte(out, c);
		}
	}
	return at;
}

int comply_words_split(struct bh_slice text, const struct comply_word *at, struct bh_arena *arena, struct comply_word_vec *out, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf word = { 0 };
	size_t i = 0;
	bh_buf_init(&word, WORD_BYTES_MAX);
	for (;;) {
		while (i < text.len && is_blank(text.ptr[i]))
			i++;
		if (i >= text.len)
			return 0;
		struct comply_word w = *at;
		bh_buf_clear(&word);
		i = take_word(text, i, &word);
		if (word.failed || !bh_arena_copy(arena, bh_buf_slice(&word), &w.text) || !comply_word_vec_push(out, w))
			return too_many(err);
	}
}

int comply_words_of_process(struct bh_slice text, struct comply_word_vec *out, struct bh_err *err)
{
	while (text.len) {
		struct comply_word w = { 0 };
		(void)bh_slice_cut(text, '\0', &w.text, &text);
		if (!comply_word_vec_push(out, w))
			return too_many(err);
	}
	return 0;
}

/* ---- lines ---- */

/* The next line of a unit or environment file, those that a backslash continues joined by a blank. False at the end. */
static bool next_line(struct bh_slice *rest, uint32_t *line, struct bh_buf *out, uint32_t *ret_line)
{
	if (rest->len == 0)
		return false;
	bh_buf_clear(out);
	*ret_line = *line + 1;
	for (bool more = true; more && rest->len;) {
		struct bh_slice head;
		(void)bh_slice_cut(*rest, '\n', &head, rest);
		++*line;
		if (bh_slice_ends(head, BH_SLICE_LIT("\r")))
			head.len--;
		more = bh_slice_ends(head, BH_SLICE_LIT("\\"));
		bh_buf_add(out, bh_slice_sub(head, 0, head.len - more));
		if (more)
			bh_buf_add_byte(out, ' ');
	}
	return true;
}

static bool is_comment(struct bh_slice line)
{
	return line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';';
}

static int add_variable(struct bh_slice pair, const struct comply_word *at, struct bh_arena *arena, struct comply_variable_vec *out, struct bh_err *err)
{
	struct comply_variable v = { .file = at->file, .line = at->line };
	struct bh_slice name, value;
	if (!bh_slice_cut(pair, '=', &name, &value))
		return 0;
	out->max = VARIABLES_MAX;
	if (!bh_arena_copy(arena, name, &v.name) || !bh_arena_copy(arena, value, &v.value) || !comply_variable_vec_push(out, v))
		return too_many(err);
	return 0;
}

int comply_variables_read(struct bh_slice file, struct bh_slice text, struct bh_arena *arena, struct comply_variable_vec *out, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf joined = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf value = { 0 };
	struct comply_word at = { .file = file };
	uint32_t line = 0;
	int rc = 0;
	bh_buf_init(&joined, WORD_BYTES_MAX);
	bh_buf_init(&value, WORD_BYTES_MAX);
	while (rc == 0 && next_line(&text, &line, &joined, &at.line)) {
		struct bh_slice l = bh_slice_trim(bh_buf_slice(&joined)), name, quoted;
		if (is_comment(l) || !bh_slice_cut(l, '=', &name, &quoted))
			continue;
		bh_buf_clear(&value);
		bh_buf_add(&value, bh_slice_trim(name));
		bh_buf_add_byte(&value, '=');
		quoted = bh_slice_trim(quoted);
		if (quoted.len && (quoted.ptr[0] == '"' || quoted.ptr[0] == '\''))
			(void)take_word(quoted, 0, &value);
		else
			bh_buf_add(&value, quoted);
		rc = value.failed ? too_many(err) : add_variable(bh_buf_slice(&value), &at, arena, out, err);
	}
	return rc;
}

/* ---- units ---- */

void comply_unit_init(struct comply_unit *unit)
{
	*unit = (struct comply_unit){ .environment_files = { .max = WORDS_MAX }, .variables = { .max = VARIABLES_MAX } };
}

void comply_unit_done(struct comply_unit *unit)
{
	comply_word_vec_done(&unit->environment_files);
	comply_variable_vec_done(&unit->variables);
}

static int take_environment(struct comply_unit *unit, struct comply_word at, struct bh_arena *arena, struct bh_err *err)
{
	struct comply_word_vec words = { .max = WORDS_MAX };
	int rc = comply_words_split(at.text, &at, arena, &words, err);
	if (at.text.len == 0)
		unit->variables.len = 0;
	for (size_t i = 0; rc == 0 && i < words.len; i++)
		rc = add_variable(words.ptr[i].text, &at, arena, &unit->variables, err);
	comply_word_vec_done(&words);
	return rc;
}

/* An empty assignment forgets what came before it, as in every list of systemd. */
static int take_assignment(struct comply_unit *unit, struct bh_slice name, struct comply_word value, struct bh_arena *arena, struct bh_err *err)
{
	if (bh_slice_eq_str(name, "Environment"))
		return take_environment(unit, value, arena, err);
	if (!bh_arena_copy(arena, value.text, &value.text))
		return too_many(err);
	if (bh_slice_eq_str(name, "ExecStart")) {
		unit->exec = value;
	} else if (bh_slice_eq_str(name, "EnvironmentFile") && value.text.len == 0) {
		unit->environment_files.len = 0;
	} else if (bh_slice_eq_str(name, "EnvironmentFile")) {
		if (value.text.ptr[0] == '-')
			value.text = bh_slice_sub(value.text, 1, value.text.len);
		return comply_word_vec_push(&unit->environment_files, value) ? 0 : too_many(err);
	}
	return 0;
}

int comply_unit_read(struct comply_unit *unit, struct bh_slice file, struct bh_slice text, struct bh_arena *arena, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf joined = { 0 };
	struct comply_word value = { .file = file };
	bool in_service = false;
	uint32_t line = 0;
	int rc = 0;
	bh_buf_init(&joined, WORD_BYTES_MAX);
	while (rc == 0 && next_line(&text, &line, &joined, &value.line)) {
		struct bh_slice l = bh_slice_trim(bh_buf_slice(&joined)), name;
		if (joined.failed)
			return too_many(err);
		if (is_comment(l))
			continue;
		if (l.ptr[0] == '[') {
			in_service = bh_slice_eq_str(l, "[Service]");
			continue;
		}
		if (!in_service || !bh_slice_cut(l, '=', &name, &value.text))
			continue;
		value.text = bh_slice_trim(value.text);
		rc = take_assignment(unit, bh_slice_trim(name), value, arena, err);
	}
	return rc;
}

static const struct comply_variable *find_variable(const struct comply_unit *unit, struct bh_slice name)
{
	for (size_t i = unit->variables.len; i > 0; i--)
		if (bh_slice_eq(unit->variables.ptr[i - 1].name, name))
			return &unit->variables.ptr[i - 1];
	return NULL;
}

/* ${NAME} within a word. */
static void expand_within(const struct comply_unit *unit, struct bh_slice word, struct bh_buf *out)
{
	while (word.len) {
		size_t at = bh_slice_find(word, '$');
		struct bh_slice behind = bh_slice_sub(word, at + 1, word.len);
		bh_buf_add(out, bh_slice_sub(word, 0, at));
		size_t end = bh_slice_find(behind, '}');
		if (at >= word.len)
			return;
		if (behind.len && behind.ptr[0] == '{' && end < behind.len) {
			const struct comply_variable *v = find_variable(unit, bh_slice_sub(behind, 1, end - 1));
			if (v)
				bh_buf_add(out, v->value);
			word = bh_slice_sub(behind, end + 1, behind.len);
		} else {
			bh_buf_add_byte(out, '$');
			word = behind;
		}
	}
}

static int expand(const struct comply_unit *unit, const struct comply_word *word, struct bh_arena *arena, struct comply_word_vec *out, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct comply_word w = *word;
	bool is_variable = w.text.len > 1 && w.text.ptr[0] == '$' && w.text.ptr[1] != '{' && w.text.ptr[1] != '$';
	if (is_variable) {
		const struct comply_variable *v = find_variable(unit, bh_slice_sub(w.text, 1, w.text.len));
		const struct comply_word at = { .file = v ? v->file : w.file, .line = v ? v->line : w.line };
		return v ? comply_words_split(v->value, &at, arena, out, err) : 0;
	}
	bh_buf_init(&text, EXPANDED_BYTES_MAX);
	expand_within(unit, w.text, &text);
	if (text.failed || !bh_arena_copy(arena, bh_buf_slice(&text), &w.text) || !comply_word_vec_push(out, w))
		return too_many(err);
	return 0;
}

int comply_unit_words(const struct comply_unit *unit, struct bh_arena *arena, struct comply_word_vec *out, struct bh_err *err)
{
	struct comply_word_vec words = { .max = WORDS_MAX };
	struct bh_slice exec = unit->exec.text;
	while (exec.len && strchr("-@:+!|", exec.ptr[0]))
		exec = bh_slice_sub(exec, 1, exec.len);
	int rc = comply_words_split(exec, &unit->exec, arena, &words, err);
	for (size_t i = 0; rc == 0 && i < words.len; i++)
		rc = expand(unit, &words.ptr[i], arena, out, err);
	comply_word_vec_done(&words);
	return rc;
}
