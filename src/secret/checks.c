/*
 * checks.c: see checks.h. Here: telling words that people and programs wrote in the place of a secret from secrets. A name, an expression, a path or a word
 * of a dictionary is none; what has digits and letters mixed without sense is one.
 */
#include "secret/checks.h"

#define RUN_MIN 8u        /* so many times the same byte: nobody draws that */
#define WORD_BYTES_MAX 16u
#define SHORT_WORD_BYTES 4u /* words up to this stand alone, or random letters would hold them */
#define STRONG_BYTES_MIN 10u

struct classes {
	size_t lower, upper, digit, other;
};

static struct classes classes_of(struct bh_slice s)
{
	struct classes c = { 0 };
	for (size_t i = 0; i < s.len; i++) {
		uint8_t b = s.ptr[i];
		c.lower += b >= 'a' && b <= 'z';
		c.upper += b >= 'A' && b <= 'Z';
		c.digit += b >= '0' && b <= '9';
	}
	c.other = s.len - c.lower - c.upper - c.digit;
	return c;
}

static bool is_letter(uint8_t c)
{
	return bh_lower(c) >= 'a' && bh_lower(c) <= 'z';
}

/* Short words count where no letter touches them. */
static bool finds(struct bh_slice s, const char *word)
{
	size_t n = strlen(word);
	for (const uint8_t *at = bh_slice_search(s, word); at; at = bh_slice_search(s, word)) {
		size_t from = (size_t)(at - s.ptr);
		bool touched = (from > 0 && is_letter(at[-1])) || (from + n < s.len && is_letter(at[n]));
		if (n > SHORT_WORD_BYTES || !touched)
			return true;
		s = bh_slice_sub(s, from + 1, s.len);
	}
	return false;
}

/* The word in small, in capitals, or with one capital: not any case, or long base64 would hold short words. */
static bool has_word(struct bh_slice s, const char *word)
{
	char forms[3][WORD_BYTES_MAX] = { 0 };
	for (size_t i = 0; word[i] && i + 1 < WORD_BYTES_MAX; i++) {
		char capital = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 'a' + 'A') : word[i];
		forms[0][i] = word[i];
		forms[1][i] = capital;
		forms[2][i] = i == 0 ? capital : word[i];
	}
	return finds(s, forms[0]) || finds(s, forms[1]) || finds(s, forms[2]);
}

static bool has_any_word(struct bh_slice s, const char *const *words)
{
	for (; *words; words++)
		if (has_word(s, *words))
			return true;
	return false;
}

static bool equals_ignoring_case(struct bh_slice s, const char *word)
{
	size_t i = 0;
	while (i < s.len && word[i] && bh_lower(s.ptr[i]) == (uint8_t)word[i])
		i++;
	return i == s.len && word[i] == '\0';
}

/* "<token>", "<your" (of two words), "prefix-<name>-x" */
static bool has_angles(struct bh_slice s)
{
	size_t from = bh_slice_find(s, '<');
	return from + 2 < s.len && is_letter(s.ptr[from + 1]) && (from == 0 || memchr(s.ptr + from, '>', s.len - from));
}

static bool has_brackets(struct bh_slice s)
{
	uint8_t first = s.ptr[0], last = s.ptr[s.len - 1];
	bool variable = first == '$' && !memchr(s.ptr + 1, '$', s.len - 1); /* hashes begin with "$6$" */
	return bh_slice_search(s, "${") || bh_slice_search(s, "{{") || bh_slice_search(s, "$(") || bh_slice_search(s, "...") || (first == '<' && last == '>') || has_angles(s) || variable ||
	       (first == '%' && last == '%') || (first == '{' && last == '}') || (first == '[' && last == ']') || (first == '_' && last == '_' && s.len > 4);
}

static unsigned distinct_bytes(struct bh_slice s)
{
	bool seen[256] = { 0 };
	unsigned n = 0;
	for (size_t i = 0; i < s.len; i++) {
		n += !seen[s.ptr[i]];
		seen[s.ptr[i]] = true;
	}
	return n;
}

/* "xxx", "aaaabbbb": few bytes again and again. Short passwords may do with three ("toor"). */
static bool is_monotonous(struct bh_slice s)
{
	unsigned n = distinct_bytes(s);
	return n < 3 || (s.len >= 8 && n < 4) || (s.len >= 16 && n < 5);
}

static bool has_long_run(struct bh_slice s)
{
	size_t run = 1;
	for (size_t i = 1; i < s.len && run < RUN_MIN; i++)
		run = s.ptr[i] == s.ptr[i - 1] && s.ptr[i] != 'A' ? run + 1 : 1; /* zeros in base64 are A */
	return run >= RUN_MIN;
}

bool secret_is_known(struct bh_slice bytes)
{
	static const uint64_t known[] = {
#define KNOWN(hash, where) hash,
#include "secret/known.def"
#undef KNOWN
	};
	uint64_t hash = bh_slice_hash(bytes);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == hash)
			return true;
	return false;
}

bool secret_is_placeholder(struct bh_slice secret)
{
	static const char *const words[] = { "example",  "changeme", "change-me", "change_me", "placeholder", "your",	    "dummy",	  "redacted",  "xxxx",	     "****",
					     "insert",	 "replace",  "fake",	  "todo",      "foobar",      "abcdefgh",   "0123456789", "123456789", "987654321", "deadbeef",
					     "abc123def", "a1b2c3d4", "sanitized", "hidden",   "my-secret",   "my_secret",  "mysecret",	  "mytoken",   "my-token",  "some-",
					     "yourtoken", "yourkey", "yourpass", "yoursecret", "tiger",
					     NULL };
	return secret.len == 0 || has_brackets(secret) || is_monotonous(secret) || has_long_run(secret) || has_any_word(secret, words) || secret_is_known(secret);
}

static enum secret_form unless(bool wrong)
{
	return wrong ? SECRET_WRONG : SECRET_UNCHECKED;
}

enum secret_form secret_check_mixed(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct classes c = classes_of(secret);
	(void)around, (void)said;
	return unless((c.lower > 0) + (c.upper > 0) + (c.digit > 0) < 2 || has_long_run(secret) || secret_is_known(secret));
}

/* The longest run of small letters, or of letters of whichever case. */
static size_t longest_letters(struct bh_slice s)
{
	size_t longest = 0, run = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t b = bh_lower(s.ptr[i]);
		run = b >= 'a' && b <= 'z' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* "config.auth.token2", "AuthTokenProvider", "some-name-v2", "path/to/x": made of words. */
static bool is_name(struct bh_slice s)
{
	struct classes c = classes_of(s);
	return c.digit == 0 || (c.digit <= 2 && c.digit * 8 < s.len && longest_letters(s) >= 5) || longest_letters(s) >= 14;
}

static bool is_uuid(struct bh_slice s)
{
	bool dashes = s.len == 36 && s.ptr[8] == '-' && s.ptr[13] == '-' && s.ptr[18] == '-' && s.ptr[23] == '-';
	return dashes;
}

/* A path, an address, a date, a version, a list: not what a machine drew. */
static bool is_other_thing(struct bh_slice s)
{
	struct classes c = classes_of(s);
	uint8_t first = s.ptr[0];
	return bh_slice_search(s, "://") || bh_slice_search(s, "::") || first == '/' || first == '.' || first == '-' || first == '#' || c.lower + c.upper == 0 || is_uuid(s);
}

enum secret_form secret_check_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return unless(is_name(secret) || is_other_thing(secret));
}

/* Words that people write for a password that they don't want to write. */
bool secret_is_password_word(struct bh_slice s)
{
	static const char *const whole[] = { "password", "passwd", "pass", "pwd",   "secret", "user",  "username", "test",  "testing", "admin",   "root", "foo",  "bar",	   "baz",    "token",
					     "none",	 "null",   "true", "false", "string", "hunter2", "letmein", "qwerty", "s3cr3t",  "s3cret", "p4ssw0rd", "passw0rd", "p@ssw0rd", "pa55word", "pa$$word",
					     "p@ssword", "abc", "secr3t", "nothing", "opensesame", "open sesame", "sesame", "changeit", NULL };
	static const char *const parts[] = { "password", "passwd", "passphrase", "secret", "getenv", "environ", "process.env", "undefined", "required", "optional", "prompt", "config", "default", "string", "sword", "pass", "pwd", "test", NULL };
	size_t n = s.len; /* without the number behind it: "test123", "pwd2!" */
	while (n > 0 && !is_letter(s.ptr[n - 1]))
		n--;
	for (size_t i = 0; whole[i]; i++)
		if (equals_ignoring_case(s, whole[i]) || equals_ignoring_case(bh_slice_sub(s, 0, n), whole[i]))
			return true;
	return has_any_word(s, parts);
}

/* f(x), a[0], a.b.c, %s, --option, *x, "a, b": source code or a format. */
static bool is_expression(struct bh_slice s)
{
	struct classes c = classes_of(s);
	uint8_t first = s.ptr[0];
	return memchr(s.ptr, '(', s.len) || memchr(s.ptr, ')', s.len) || memchr(s.ptr, '[', s.len) || memchr(s.ptr, '{', s.len) || bh_slice_search(s, "%s") || bh_slice_search(s, "->") ||
	       bh_slice_search(s, "=>") || bh_slice_search(s, "==") || bh_slice_search(s, "://") || bh_slice_search(s, "\\u") || bh_slice_starts(s, BH_SLICE_LIT("!v")) || first == '%' || first == '@' || first == '&' || first == '\\' || first == '-' || first == '*' || first == '/' ||
	       c.other == s.len;
}

/* Not a word alone: digits or signs among letters. */
static bool is_drawn(struct bh_slice s)
{
	struct classes c = classes_of(s);
	size_t dots = 0;
	for (size_t i = 0; i < s.len; i++)
		dots += s.ptr[i] == '.' || s.ptr[i] == '_' || s.ptr[i] == '-' || s.ptr[i] == '/' || s.ptr[i] == ':';
	bool cases = s.len >= 10 && c.upper * 10 >= s.len * 3 && c.lower * 10 >= s.len * 3; /* "SzZQawLeSDbrxC", not "userPassword" */
	return c.lower + c.upper > 0 && (c.digit > 0 || c.other > dots || cases);
}

enum secret_form secret_check_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return unless(secret_is_password_word(secret) || is_expression(secret) || !is_drawn(secret));
}

enum secret_form secret_check_env_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	return memchr(secret.ptr, '/', secret.len) && secret.ptr[0] == '/' ? SECRET_WRONG : secret_check_password(secret, around, said);
}

enum secret_form secret_check_weak_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return unless(is_expression(secret) || equals_ignoring_case(secret, "password") || equals_ignoring_case(secret, "new_password"));
}

/* The host behind "@" up to its end. */
static struct bh_slice host_behind(struct bh_slice secret, struct bh_slice around)
{
	struct bh_slice rest = secret_behind(secret, around);
	size_t n = 1;
	while (n < rest.len && (rest.ptr[n] > ' ' && rest.ptr[n] < 0x7f && !memchr("/:\"'`<>,;)?#\\", rest.ptr[n], 14)))
		n++;
	return rest.len && rest.ptr[0] == '@' ? bh_slice_sub(rest, 1, n - 1) : (struct bh_slice){ 0 };
}

static bool is_nobodys_host(struct bh_slice host)
{
	static const char *const whole[] = { "host", "hostname", "server", "foo", "bar", "domain", "address", "ip", "h", "a", "b", "c", "x", "url", "some", "proxy", NULL };
	static const char *const ends[] = { "example.com", "example.org", "example.net", ".example", ".test", ".invalid", "domain.com", "foo.com", "test.com", "host.com", "server.com", "company.com",
					    "bar.com", "site.com", "foo.bar", "a.com", "b.com", "x.com", "abc.com", "url.com", "website.com", NULL };
	bool none = host.len == 0 || memchr(host.ptr, '$', host.len) || memchr(host.ptr, '{', host.len) || memchr(host.ptr, '%', host.len) || memchr(host.ptr, '*', host.len) || has_word(host, "example") || has_word(host, "your") ||
		    has_word(host, "dummy") || has_word(host, "fake") || has_word(host, "test");
	for (size_t i = 0; !none && whole[i]; i++)
		none = equals_ignoring_case(host, whole[i]);
	for (size_t i = 0; !none && ends[i]; i++)
		none = bh_slice_ends(host, bh_slice_str(ends[i]));
	return none;
}

static bool is_own_host(struct bh_slice host)
{
	return equals_ignoring_case(host, "localhost") || bh_slice_starts(host, BH_SLICE_LIT("127.")) || bh_slice_eq_str(host, "0.0.0.0") || bh_slice_eq_str(host, "[::1]");
}

/* A password for this machine is most often a developer's: only one that was drawn counts. */
static bool is_strong(struct bh_slice s)
{
	struct classes c = classes_of(s);
	return s.len >= STRONG_BYTES_MIN && c.digit > 0 && c.lower + c.upper > 2 && distinct_bytes(s) * 2 > s.len && !is_name(s);
}

enum secret_form secret_check_url_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice host = host_behind(secret, around);
	if (is_nobodys_host(host) || (is_own_host(host) && !is_strong(secret)) || has_word(secret, "%40ssword"))
		return SECRET_WRONG;
	return secret_check_password(secret, around, said);
}

enum secret_form secret_check_user_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct bh_slice user, password;
	if (!bh_slice_cut(secret, ':', &user, &password) || password.len == 0)
		return SECRET_WRONG;
	return secret_is_placeholder(password) ? SECRET_WRONG : secret_check_password(password, around, said);
}

enum secret_form secret_check_generic_key(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	static const char *const words[] = { "test", "sample", "demo", "secret", "token", "password", "mock", "public", "http", "sha256", "sha512", "client", "access", "value", "string", "key", NULL };
	return has_any_word(secret, words) ? SECRET_WRONG : secret_check_token(secret, around, said);
}

enum secret_form secret_check_generic_password(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	static const char *const words[] = { "test", "sample", "demo", "pass", "pwd", "mock", "user", "admin", "key", "name", "value", "login", "auth", "field", "input", "form", "text", "hash", "the", NULL };
	struct classes c = classes_of(secret);
	bool drawn = c.digit > 0 && c.lower > 0 && (c.upper > 0 || c.other > 0);
	if (!drawn || has_any_word(secret, words) || is_other_thing(secret) || longest_letters(secret) >= 8)
		return SECRET_WRONG;
	return secret_check_password(secret, around, said);
}

enum secret_form secret_check_env_secret(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	return is_other_thing(secret) ? SECRET_WRONG : secret_check_password(secret, around, said);
}

enum secret_form secret_check_snmp(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	(void)around, (void)said;
	return unless(equals_ignoring_case(secret, "public") || equals_ignoring_case(secret, "private") || equals_ignoring_case(secret, "default") || !is_drawn(secret));
}

struct bh_slice secret_behind(struct bh_slice secret, struct bh_slice around)
{
	size_t at = (size_t)(secret.ptr - around.ptr) + secret.len;
	return bh_slice_sub(around, at, around.len);
}
