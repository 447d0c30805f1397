/*
 * names.c: from what packages write to an expression.
 *
 *   whole text an expression?  ─ yes ─► that
 *   whole text a known name?   ─ yes ─► its expression
 *   holds an address?         ─ yes ─► split at ",", addresses by urls.c
 *   split at " and ", " or ", "/", ",", ";", "|", "&" and parentheses; each part the same way; unknown ones become LicenseRef-PART
 */
#include "license/license.h"

#include "license/urls.h"

#define TEXT_BYTES_MAX (8u << 10)
#define KEY_BYTES_MAX 512u
#define PARTS_MAX 64u
#define VERSION_BYTES_MAX 16u

static const struct family {
	const char *key, *id, *version;
} families[] = {
#define FAMILY(key, id, version) { key, id, version },
#define NAME(key, expression)
#include "license/names.def"
#undef FAMILY
#undef NAME
};

static const struct name {
	const char *key, *expression;
} names[] = {
#define FAMILY(key, id, version)
#define NAME(key, expression) { key, expression },
#include "license/names.def"
#undef FAMILY
#undef NAME
};

/* A name in words: "GNU General Public License v2 or later (GPLv2+)" = "gnu general public", "2", later. */
struct key {
	char text[KEY_BYTES_MAX];
	size_t len;
	char version[VERSION_BYTES_MAX];
	bool later, only;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *const fillers[] = { "the", "license", "licence", "licenses", "licensed", "version", "ver", "v", "vers", "approved",
				       "osi", "a", NULL };

static void add_word(struct key *k, struct bh_slice word)
{
	if (word.len == 0 || bh_slice_is_one_of(word, fillers) || k->len + word.len + 2 > sizeof(k->text))
		return;
	if (k->len)
		k->text[k->len++] = ' ';
	memcpy(k->text + k->len, word.ptr, word.len);
	k->len += word.len;
	k->text[k->len] = '\0';
}

/* "2", "2.0", "v2.0+", "2.1only": a word that is a version. */
static bool take_version(struct key *k, struct bh_slice word)
{
	struct bh_slice w = word;
	if (w.len && w.ptr[0] == 'v')
		w = bh_slice_sub(w, 1, w.len);
	size_t n = 0;
	while (n < w.len && (is_digit(w.ptr[n]) || w.ptr[n] == '.'))
		n++;
	while (n && w.ptr[n - 1] == '.')
		n--;
	bool plus = n < w.len && w.ptr[n] == '+';
	if (n == 0 || !is_digit(w.ptr[0]) || n >= sizeof(k->version) || n + plus < w.len)
		return false;
	if (k->version[0]) /* said twice: "GPLv2 (2.0)" */
		return true;
	memcpy(k->version, w.ptr, n);
	k->version[n] = '\0';
	k->later = k->later || plus;
	return true;
}

/* "gplv2+", "lgpl2.1", "apache2": letters, then a version. "bsd3" and the like are names of their own. */
static bool take_joined(struct key *k, struct bh_slice word)
{
	size_t n = 0;
	while (n < word.len && (is_letter(word.ptr[n])))
		n++;
	if (n == 0 || n == word.len)
		return false;
	struct bh_slice name = bh_slice_sub(word, 0, n), version = bh_slice_sub(word, n, word.len);
	if (name.len > 1 && name.ptr[name.len - 1] == 'v')
		name.len--;
	bool known = false;
	for (size_t i = 0; !known && i < sizeof(families) / sizeof(families[0]); i++)
		known = bh_slice_eq_str(name, families[i].key);
	if (bh_slice_eq_str(version, "+") && known) {
		k->later = true;
		add_word(k, name);
		return true;
	}
	if (!known || !take_version(k, version))
		return false;
	add_word(k, name);
	return true;
}

/* "or later", "or newer", "or any later version", "or (at your option) any later version": how many words from here say so? 0 = none. */
static size_t later_words(const struct bh_slice *words, size_t n)
{
	static const char *const between[] = { "any", "at", "your", "option", "greater", NULL },
		*const ends[] = { "later", "newer", "above", "higher", "greater", NULL };
	size_t i = 1;
	if (n < 2 || !(bh_slice_eq_str(words[0], "or") || bh_slice_eq_str(words[0], "and")))
		return 0;
	while (i < n && i < 6 && bh_slice_is_one_of(words[i], between) && !bh_slice_is_one_of(words[i], ends))
		i++;
	return i < n && bh_slice_is_one_of(words[i], ends) ? i + 1 : 0;
}

/* Small words of letters, digits, dots and plus signs. */
static size_t split_words(struct bh_slice text, char copy[KEY_BYTES_MAX], struct bh_slice words[PARTS_MAX])
{
	size_t n = 0, len = text.len < KEY_BYTES_MAX ? text.len : KEY_BYTES_MAX - 1, start = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text.ptr[i];
		bool inside = is_letter(c) || is_digit(c) || c == '.' || c == '+';
		copy[i] = inside ? (char)bh_lower(c) : ' ';
	}
	copy[len] = ' ';
	for (size_t i = 0; i <= len && n < PARTS_MAX; i++) {
		if (copy[i] != ' ')
			continue;
		if (i > start)
			words[n++] = (struct bh_slice){ (const uint8_t *)copy + start, i - start };
		start = i + 1;
	}
	return n;
}

static void make_key(struct bh_slice text, struct key *k)
{
	char copy[KEY_BYTES_MAX];
	struct bh_slice words[PARTS_MAX];
	size_t n = split_words(text, copy, words);
	*k = (struct key){ 0 };
	for (size_t i = 0; i < n; i++) {
		size_t later = later_words(words + i, n - i);
		if (later) {
			k->later = true;
			i += later - 1;
		} else if (bh_slice_eq_str(words[i], "only") || bh_slice_eq_str(words[i], "+")) {
			k->only = k->only || words[i].len == 4;
			k->later = k->later || words[i].len == 1;
		} else if (!take_version(k, words[i]) && !take_joined(k, words[i])) {
			add_word(k, words[i]);
		}
	}
}

/* The key's words with its version in front of nothing and behind all: "bsd 3 clause" lost its 3 to the version. */
static const char *find_name(struct bh_slice text)
{
	char copy[KEY_BYTES_MAX], key[KEY_BYTES_MAX + 1];
	struct bh_slice words[PARTS_MAX];
	size_t n = split_words(text, copy, words), len = 0;
	for (size_t i = 0; i < n; i++) {
		struct bh_slice w = words[i];
		if (w.len > 1 && w.ptr[0] == 'v' && is_digit(w.ptr[1]))
			w = bh_slice_sub(w, 1, w.len);
		if (bh_slice_ends(w, BH_SLICE_LIT(".0")))
			w.len -= 2;
		if (bh_slice_is_one_of(w, fillers) || len + w.len + 2 > sizeof(key))
			continue;
		if (len)
			key[len++] = ' ';
		memcpy(key + len, w.ptr, w.len);
		len += w.len;
	}
	key[len] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].key, key) == 0)
			return names[i].expression;
	return NULL;
}

static bool is_gpl(const struct family *f)
{
	return strcmp(f->id, "GPL") == 0 || strcmp(f->id, "LGPL") == 0 || strcmp(f->id, "AGPL") == 0 || strcmp(f->id, "GFDL") == 0;
}

/* The list's identifier of a family's version: "2" is 2.0, and the GPL family says only or later. */
static struct bh_slice versioned(const struct family *f, const struct key *k, struct bh_arena *arena)
{
	static const char *const ends[] = { "", ".0" };
	const char *version = k->version[0] ? k->version : f->version, *said = is_gpl(f) ? (k->later ? "-or-later" : "-only") : "";
	for (size_t i = 0; version[0] && i < 2; i++) {
		const char *text = bh_arena_printf(arena, "%s-%s%s%s", f->id, version, ends[i], said);
		struct bh_slice id = license_id(bh_slice_str(text), NULL);
		if (id.len)
			return id;
	}
	/* Without a version: any of them. */
	if (!version[0] && strcmp(f->id, "GPL") == 0)
		return BH_SLICE_LIT("GPL-1.0-or-later");
	if (!version[0] && strcmp(f->id, "LGPL") == 0)
		return BH_SLICE_LIT("LGPL-2.0-or-later");
	return (struct bh_slice){ 0 };
}

static const struct license_node *leaf(struct bh_slice id, bool plus, struct bh_arena *arena)
{
	struct license_node *n = id.len ? BH_ARENA_NEW(arena, struct license_node) : NULL;
	if (n)
		*n = (struct license_node){ .id = id, .plus = plus };
	return n;
}

static const struct license_node *find_family(struct bh_slice text, struct bh_arena *arena)
{
	struct key k;
	make_key(text, &k);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strcmp(families[i].key, k.text) == 0)
			return leaf(versioned(&families[i], &k, arena), k.later && !is_gpl(&families[i]), arena);
	return NULL;
}

/* What stands before "(...)" when it ends with that: "GNU General Public License v3 (GPLv3)"; and the last part of a classifier. */
static struct bh_slice shorter(struct bh_slice s)
{
	for (size_t i = s.len; i > 1; i--)
		if (s.ptr[i - 1] == ':' && s.ptr[i - 2] == ':')
			return bh_slice_trim(bh_slice_sub(s, i, s.len));
	if (s.len > 2 && s.ptr[s.len - 1] == ')') {
		size_t open = bh_slice_find(s, '(');
		if (open && open < s.len)
			return bh_slice_trim(bh_slice_sub(s, 0, open));
	}
	return (struct bh_slice){ 0 };
}

/* Known as a whole, in one way or another. */
static const struct license_node *known(struct bh_slice text, struct bh_arena *arena)
{
	const struct license_node *n = license_parse(text, arena);
	const char *expression = n ? NULL : find_name(text);
	if (expression)
		n = license_parse(bh_slice_str(expression), arena);
	return n ? n : find_family(text, arena);
}

static const struct license_node *known_or_shorter(struct bh_slice text, struct bh_arena *arena)
{
	const struct license_node *n = NULL;
	for (; !n && text.len; text = shorter(text))
		n = known(text, arena);
	return n;
}

/* "License :: OSI Approved :: BSD License" and "BSD License" are called as "BSD". */
static struct bh_slice bare_name(struct bh_slice text)
{
	static const struct bh_slice ends[] = { BH_SLICE_LIT(" License"), BH_SLICE_LIT(" license"), BH_SLICE_LIT(" Licence") };
	for (size_t i = text.len; i > 1; i--)
		if (text.ptr[i - 1] == ':' && text.ptr[i - 2] == ':') {
			text = bh_slice_trim(bh_slice_sub(text, i, text.len));
			break;
		}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bh_slice_ends(text, ends[i]))
			text.len -= ends[i].len;
	return text;
}

static const struct license_node *reference(struct bh_slice text, struct bh_arena *arena)
{
	static const char prefix[] = "LicenseRef-";
	size_t n = sizeof(prefix) - 1, max = n + (text.len < 100 ? text.len : 100);
	text = bare_name(text);
	char *out = bh_arena_alloc(arena, max + 1);
	if (!out)
		return NULL;
	memcpy(out, prefix, n);
	for (size_t i = 0; i < text.len && n < max; i++) {
		uint8_t c = text.ptr[i];
		bool good = is_letter(c) || is_digit(c) || c == '.';
		if (good || out[n - 1] != '-')
			out[n++] = good ? (char)c : '-';
	}
	while (n > sizeof(prefix) - 1 && out[n - 1] == '-')
		n--;
	return n > sizeof(prefix) - 1 ? leaf((struct bh_slice){ (const uint8_t *)out, n }, false, arena) : NULL;
}

/* ---- several in one text ---- */

struct splitter {
	struct bh_slice rest;
	struct bh_arena *arena;
	unsigned depth, parts;
};

static bool word_at(struct bh_slice s, size_t at, const char *word)
{
	size_t len = strlen(word);
	if (at + len > s.len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((s.ptr[at + i] | 0x20) != (uint8_t)word[i])
			return false;
	bool start = at == 0 || s.ptr[at - 1] == ' ' || s.ptr[at - 1] == ')', end = at + len == s.len || s.ptr[at + len] == ' ' || s.ptr[at + len] == '(';
	return start && end;
}

/* Is there an operator at `at`? Its length, and which one. "or later" is none. */
static size_t operator_at(struct bh_slice s, size_t at, enum license_kind *kind)
{
	char copy[KEY_BYTES_MAX];
	struct bh_slice words[PARTS_MAX];
	uint8_t c = s.ptr[at];
	*kind = c == '/' || c == '|' ? LICENSE_OR : LICENSE_AND;
	if (c == '/' && at && (s.ptr[at - 1] | 0x20) == 'w' && (at == 1 || s.ptr[at - 2] == ' ')) /* "GPL2 w/ CPE": with */
		return 0;
	if (c == '/' || c == '|' || c == ',' || c == ';' || c == '&')
		return at + 1 < s.len && s.ptr[at + 1] == c ? 2 : 1;
	bool is_or = word_at(s, at, "or"), is_and = word_at(s, at, "and");
	if (!is_or && !is_and)
		return 0;
	size_t n = split_words(bh_slice_sub(s, at, 64), copy, words);
	*kind = is_or ? LICENSE_OR : LICENSE_AND;
	return later_words(words, n) ? 0 : is_or ? 2 : 3;
}

/* Up to the next operator or parenthesis. A parenthesis inside of a name ("Foo (bar)") belongs to it: only one at its start groups. */
static struct bh_slice take_part(struct splitter *p)
{
	enum license_kind ignored;
	size_t n = 0, open = 0;
	for (; n < p->rest.len; n++) {
		uint8_t c = p->rest.ptr[n];
		if (c == '(')
			open++;
		else if (c == ')' && open-- == 0)
			break;
		else if (open == 0 && operator_at(p->rest, n, &ignored))
			break;
	}
	struct bh_slice part = bh_slice_trim(bh_slice_sub(p->rest, 0, n));
	p->rest = bh_slice_sub(p->rest, n, p->rest.len);
	return part;
}

static const struct license_node *split_or(struct splitter *p);

static const struct license_node *split_atom(struct splitter *p)
{
	p->rest = bh_slice_trim(p->rest);
	if (p->rest.len && p->rest.ptr[0] == '(') {
		p->rest = bh_slice_sub(p->rest, 1, p->rest.len);
		const struct license_node *inner = split_or(p);
		p->rest = bh_slice_trim(p->rest);
		if (p->rest.len && p->rest.ptr[0] == ')')
			p->rest = bh_slice_sub(p->rest, 1, p->rest.len);
		return inner;
	}
	struct bh_slice part = take_part(p);
	if (++p->parts > PARTS_MAX)
		return NULL;
	const struct license_node *n = known_or_shorter(part, p->arena);
	return n ? n : reference(part, p->arena);
}

/* One level of operators; and: AND binds before OR. Doubled and dangling operators join nothing. */
static const struct license_node *split_level(struct splitter *p, enum license_kind level)
{
	const struct license_node *left = NULL;
	if (++p->depth > PARTS_MAX)
		return NULL;
	for (;;) {
		const struct license_node *right = level == LICENSE_OR ? split_level(p, LICENSE_AND) : split_atom(p);
		struct license_node *both = left && right ? BH_ARENA_NEW(p->arena, struct license_node) : NULL;
		if (both)
			*both = (struct license_node){ .kind = level, .left = left, .right = right };
		left = both ? both : left ? left : right;
		enum license_kind kind;
		p->rest = bh_slice_trim(p->rest);
		size_t len = p->rest.len && p->parts < PARTS_MAX ? operator_at(p->rest, 0, &kind) : 0;
		if (len == 0 || kind != level)
			break;
		p->rest = bh_slice_sub(p->rest, len, p->rest.len);
	}
	p->depth--;
	return left;
}

static const struct license_node *split_or(struct splitter *p)
{
	return split_level(p, LICENSE_OR);
}

/* "MIT BSD-3-Clause", as Alpine wrote lists: all words are licences. */
static const struct license_node *blanks_between(struct bh_slice text, struct bh_arena *arena)
{
	const struct license_node *all = NULL;
	for (size_t parts = 0; text.len && parts < PARTS_MAX; parts++) {
		struct bh_slice word;
		(void)bh_slice_cut(text, ' ', &word, &text);
		text = bh_slice_trim(text);
		const struct license_node *n = known(word, arena);
		struct license_node *both = all && n ? BH_ARENA_NEW(arena, struct license_node) : NULL;
		if (!n || (all && !both))
			return NULL;
		if (both)
			*both = (struct license_node){ .kind = LICENSE_AND, .left = all, .right = n };
		all = both ? both : n;
	}
	return text.len ? NULL : all;
}

/* "http://.../epl-v10.html, MIT;link=https://...", as OSGi writes it: what is behind the semicolon only explains. All hold together. */
static const struct license_node *with_urls(struct bh_slice text, struct bh_arena *arena)
{
	const struct license_node *all = NULL;
	for (size_t parts = 0; text.len && parts < PARTS_MAX; parts++) {
		struct bh_slice part, about;
		(void)bh_slice_cut(text, ',', &part, &text);
		(void)bh_slice_cut(part, ';', &part, &about);
		part = bh_slice_trim(part);
		struct bh_slice known = license_is_url(part) ? license_of_url(part) : (struct bh_slice){ 0 };
		const struct license_node *n = known.len                    ? license_parse(known, arena) :
					       bh_slice_search(part, "://") ? reference(part, arena) :
									      license_normalise(part, arena);
		struct license_node *both = all && n ? BH_ARENA_NEW(arena, struct license_node) : NULL;
		if (both)
			*both = (struct license_node){ .kind = LICENSE_AND, .left = all, .right = n };
		all = both ? both : all ? all : n;
	}
	return all;
}

const struct license_node *license_normalise(struct bh_slice declared, struct bh_arena *arena)
{
	struct bh_slice text = bh_slice_trim(declared);
	if (text.len == 0 || text.len > TEXT_BYTES_MAX)
		return NULL;
	if (bh_slice_search(text, "://"))
		return with_urls(text, arena);
	const struct license_node *n = known_or_shorter(text, arena);
	if (!n)
		n = blanks_between(text, arena);
	if (n)
		return n;
	struct splitter p = { .rest = text, .arena = arena };
	n = split_or(&p);
	return bh_slice_trim(p.rest).len == 0 ? n : reference(text, arena);
}
