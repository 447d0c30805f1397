#include "serverless/code_scan.h"

#include <stdlib.h>
#include <string.h>

#include "format/regex.h"

#define REGEX_BYTES_MAX (8u << 20)
#define GROUPS 2u
#define TAINTED_MAX 128u /* names in a file that hold data of the event */

static const struct {
	const char *kind;
	unsigned languages;
	const char *pattern, *also, *unless;
	bool needs_data;
} facts[] = {
#define FACT(kind, languages, pattern, also, unless, needs_data) { kind, languages, pattern, also, unless, needs_data },
#include "serverless/code.def"
#undef FACT
};

#define N_FACTS (sizeof(facts) / sizeof(facts[0]))

struct code_scanner {
	struct bh_regex *pattern[N_FACTS], *also[N_FACTS], *unless[N_FACTS];
	struct bh_regex *assigned, *taken; /* "a = ... event", "{a, b} = event" */
};

/* ---- languages ---- */

static const struct {
	const char *suffix;
	enum code_language language;
} suffixes[] = {
	{ ".py", CODE_PYTHON }, { ".js", CODE_JAVASCRIPT }, { ".mjs", CODE_JAVASCRIPT }, { ".cjs", CODE_JAVASCRIPT }, { ".jsx", CODE_JAVASCRIPT },
	{ ".ts", CODE_JAVASCRIPT }, { ".mts", CODE_JAVASCRIPT }, { ".cts", CODE_JAVASCRIPT }, { ".tsx", CODE_JAVASCRIPT }, { ".rb", CODE_RUBY },
	{ ".go", CODE_GO }, { ".java", CODE_JAVA }, { ".kt", CODE_JAVA }, { ".cs", CODE_CSHARP }, { ".php", CODE_PHP }, { ".sh", CODE_SHELL },
};

const char code_suffixes[] = ".py .js .mjs .cjs .jsx .ts .mts .cts .tsx .rb .go .java .kt .cs .php .sh";

/* Declarations of types say nothing about what is done. */
enum code_language code_language_of(struct bh_slice path)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (bh_slice_ends(path, bh_slice_str(suffixes[i].suffix)))
			return bh_slice_ends(path, BH_SLICE_LIT(".d.ts")) ? 0 : suffixes[i].language;
	return 0;
}

enum code_language code_language_of_runtime(struct bh_slice runtime)
{
	static const struct {
		const char *prefix;
		enum code_language language;
	} runtimes[] = { { "python", CODE_PYTHON }, { "node", CODE_JAVASCRIPT }, { "ruby", CODE_RUBY }, { "provided", CODE_SHELL } };
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (bh_slice_starts(runtime, bh_slice_str(runtimes[i].prefix)))
			return runtimes[i].language;
	return CODE_ANY;
}

const char *code_language_name(enum code_language language)
{
	switch (language) {
	case CODE_PYTHON: return "python";
	case CODE_JAVASCRIPT: return "javascript";
	case CODE_RUBY: return "ruby";
	case CODE_GO: return "go";
	case CODE_JAVA: return "java";
	case CODE_CSHARP: return "csharp";
	case CODE_PHP: return "php";
	case CODE_SHELL: return "shell";
	case CODE_ANY: break;
	}
	return "unknown";
}

/* ---- patterns ---- */

static int compile(const char *pattern, struct bh_regex **ret, struct bh_err *err)
{
	return pattern ? bh_regex_compile(bh_slice_str(pattern), BH_REGEX_BYTES, REGEX_BYTES_MAX, ret, err) : 0;
}

int code_scanner_new(struct code_scanner **ret, struct bh_err *err)
{
	struct code_scanner *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the patterns of code");
	int rc = compile("([A-Za-z_][A-Za-z0-9_]*)[ \\t]*(?::[^=\\n]{1,60})?:?=[ \\t]*([^=\\n][^\\n]*)", &s->assigned, err);
	rc = rc < 0 ? rc : compile("[{]([^{}\\n]*)[}][ \\t]*=[ \\t]*([^=\\n][^\\n]*)", &s->taken, err);
	for (size_t i = 0; rc == 0 && i < N_FACTS; i++) {
		rc = compile(facts[i].pattern, &s->pattern[i], err);
		rc = rc < 0 ? rc : compile(facts[i].also, &s->also[i], err);
		rc = rc < 0 ? rc : compile(facts[i].unless, &s->unless[i], err);
	}
	if (rc == 0)
		*ret = s;
	else
		code_scanner_free(s);
	return rc;
}

void code_scanner_free(struct code_scanner *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < N_FACTS; i++) {
		bh_regex_free(s->pattern[i]);
		bh_regex_free(s->also[i]);
		bh_regex_free(s->unless[i]);
	}
	bh_regex_free(s->assigned);
	bh_regex_free(s->taken);
	free(s);
}

/* ---- words ---- */

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

/* The next word at or behind *at, which goes behind it; empty: there is none. */
static struct bh_slice next_word(struct bh_slice text, size_t *at)
{
	size_t i = *at;
	while (i < text.len && !is_letter(text.ptr[i]))
		i += is_word(text.ptr[i]) ? 2 : 1; /* "0x": no word begins behind a digit */
	if (i > text.len)
		i = text.len;
	size_t end = i;
	while (end < text.len && is_word(text.ptr[end]))
		end++;
	*at = end;
	return bh_slice_sub(text, i, end - i);
}

/* What SDKs put behind the name of an action. */
static struct bh_slice without_ending(struct bh_slice name)
{
	static const char *const endings[] = { "withcontext", "commandinput", "command", "request", "input", "async", "paginator" };
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (name.len > strlen(endings[i]) + 2 && bh_slice_ends(name, bh_slice_str(endings[i])))
			return bh_slice_sub(name, 0, name.len - strlen(endings[i]));
	return name;
}

static bool take_call(const struct code_taker *taker, struct bh_slice word, uint32_t line)
{
	uint8_t name[CODE_NAME_BYTES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] != '_')
			name[n++] = bh_lower(word.ptr[i]);
	return n < 3 || taker->call(taker->ctx, without_ending((struct bh_slice){ name, n }), line);
}

/* Behind "." or "new ", before "(", or as a whole in quotes (get_paginator('list_objects_v2')); and imported, between braces and commas. */
static bool looks_called(struct bh_slice text, struct bh_slice word)
{
	size_t at = (size_t)(word.ptr - text.ptr), end = at + word.len;
	uint8_t before = at ? text.ptr[at - 1] : 0, after = end < text.len ? text.ptr[end] : 0;
	return before == '.' || after == '(' || after == ',' || before == '\'' || before == '"' || (before == ' ' && (after == ' ' || after == '}' || after == ')'))
	       || before == '{' || after == '}';
}

bool code_scan_calls(struct bh_slice text, const struct code_taker *taker)
{
	uint32_t line = 1;
	size_t counted = 0, at = 0;
	for (;;) {
		struct bh_slice word = next_word(text, &at);
		if (word.len == 0)
			return true;
		for (size_t start = (size_t)(word.ptr - text.ptr); counted < start; counted++)
			line += text.ptr[counted] == '\n';
		if (word.len <= CODE_NAME_BYTES_MAX && looks_called(text, word) && !take_call(taker, word, line))
			return false;
	}
}

/* ---- data of the event ---- */

struct tainted {
	struct bh_slice names[TAINTED_MAX];
	size_t n;
};

static bool is_tainted(const struct tainted *t, struct bh_slice word)
{
	for (size_t i = 0; i < t->n; i++)
		if (bh_slice_eq(t->names[i], word))
			return true;
	return false;
}

static bool holds_data(const struct tainted *t, struct bh_slice text)
{
	for (size_t at = 0;;) {
		struct bh_slice word = next_word(text, &at);
		if (word.len == 0)
			return false;
		if (is_tainted(t, word))
			return true;
	}
}

static void taint(struct tainted *t, struct bh_slice word)
{
	if (t->n < TAINTED_MAX && !is_tainted(t, word))
		t->names[t->n++] = word;
}

/* A value that is made a number is data no more. "a = b = event" is looked at twice. */
static bool taint_line(const struct code_scanner *s, struct bh_slice line, struct tainted *t)
{
	struct bh_slice groups[3], word;
	int found;
	for (size_t at = 0; (found = bh_regex_search(s->assigned, line, at, groups, 3)) == 1; at = (size_t)(groups[2].ptr - line.ptr))
		if (holds_data(t, groups[2]) && !bh_slice_search(groups[2], "parseInt(") && !bh_slice_starts(groups[2], BH_SLICE_LIT("int(")))
			taint(t, groups[1]);
	if (found < 0)
		return false;
	found = bh_regex_search(s->taken, line, 0, groups, 3);
	for (size_t in = 0; found == 1 && holds_data(t, groups[2]) && (word = next_word(groups[1], &in)).len;)
		taint(t, word);
	return found >= 0;
}

/* In the order of the text. */
static bool find_tainted(const struct code_scanner *s, struct bh_slice text, struct tainted *t)
{
	static const char *const roots[] = { "event", "req", "request", "EVENT_DATA" };
	struct bh_slice line;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		t->names[t->n++] = bh_slice_str(roots[i]);
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		if (line.len <= CODE_LINE_BYTES_MAX && !taint_line(s, line, t))
			return false;
	}
	return true;
}

/* ---- facts ---- */

static struct bh_slice line_around(struct bh_slice text, size_t at)
{
	size_t start = at, end = at;
	while (start > 0 && text.ptr[start - 1] != '\n')
		start--;
	end += bh_slice_find(bh_slice_sub(text, at, text.len), '\n');
	return bh_slice_sub(text, start, end - start);
}

static bool is_comment(struct bh_slice line)
{
	return bh_slice_starts(line, BH_SLICE_LIT("#")) || bh_slice_starts(line, BH_SLICE_LIT("//")) || bh_slice_starts(line, BH_SLICE_LIT("*"));
}

static bool matches(const struct bh_regex *re, struct bh_slice text)
{
	struct bh_slice whole;
	return bh_regex_search(re, text, 0, &whole, 1) == 1;
}

static bool is_fact(const struct code_scanner *s, size_t i, const struct tainted *t, struct bh_slice line, const struct bh_slice *groups)
{
	if (line.len > CODE_LINE_BYTES_MAX || (s->also[i] && !matches(s->also[i], line)) || (s->unless[i] && matches(s->unless[i], line)))
		return false;
	if (!facts[i].needs_data)
		return true;
	return !is_comment(bh_slice_trim(line)) && holds_data(t, groups[1].ptr ? groups[1] : groups[0]);
}

/* Each line once. */
static bool scan_fact(const struct code_scanner *s, size_t i, const struct tainted *t, struct bh_slice text, const struct code_taker *taker)
{
	struct bh_slice groups[GROUPS];
	uint32_t number = 1;
	size_t counted = 0, at = 0;
	int found = 0;
	while (at <= text.len && (found = bh_regex_search(s->pattern[i], text, at, groups, GROUPS)) == 1) {
		size_t end = (size_t)(groups[0].ptr - text.ptr) + groups[0].len, last = end > at && text.ptr[end - 1] == '\n' ? end - 2 : end - 1;
		struct bh_slice line = line_around(text, groups[0].len ? last : end);
		size_t start = (size_t)(line.ptr - text.ptr);
		for (; counted < start; counted++)
			number += text.ptr[counted] == '\n';
		bool is = is_fact(s, i, t, line, groups);
		if (is && !taker->fact(taker->ctx, facts[i].kind, number, bh_slice_trim(line)))
			return false;
		at = is || line.len > CODE_LINE_BYTES_MAX ? start + line.len + 1 : end > at ? end : at + 1;
	}
	return found >= 0;
}

static uint64_t count_long_lines(struct bh_slice text)
{
	uint64_t n = 0;
	for (size_t at = 0, len; at < text.len; at += len + 1) {
		len = bh_slice_find(bh_slice_sub(text, at, text.len), '\n');
		n += len > CODE_LINE_BYTES_MAX;
	}
	return n;
}

bool code_scan_facts(const struct code_scanner *s, struct bh_slice text, enum code_language language, const struct code_taker *taker, uint64_t *long_lines)
{
	struct tainted t = { .n = 0 };
	*long_lines += count_long_lines(text);
	bool ok = find_tainted(s, text, &t);
	for (size_t i = 0; ok && i < N_FACTS; i++)
		if (facts[i].languages & language)
			ok = scan_fact(s, i, &t, text, taker);
	return ok;
}
