#include "kube/crd_formats.h"

#include "policy/cel/address.h"
#include "policy/cel/url.h"

#define MEMORY_BYTES (4u << 20)
#define URL_BYTES_MAX (1u << 20)
#define NAME_BYTES_MAX 32u
#define HOST_BYTES_MAX 255u
#define LABEL_BYTES_MAX 63u
#define LONG_NAME_BYTES_MAX 253u
#define NEW_FORMATS_SINCE 35u /* introduced in 1.34, in effect one version later */
#define DIGITS_MAX 32u
#define ADDRESS_BYTES_MAX 64u
#define SSN_BYTES 11u
#define DATE_BYTES 10u

/* ---- by functions ---- */

/* Numbers of addresses may begin with zeros, as they might before Go 1.17. False: the text is no address. */
static bool drop_zeros(struct bh_slice text, char out[ADDRESS_BYTES_MAX], struct bh_slice *ret)
{
	size_t n = 0;
	bool has_number = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		bool is_digit = c >= '0' && c <= '9', next_is_digit = i + 1 < text.len && text.ptr[i + 1] >= '0' && text.ptr[i + 1] <= '9';
		if (c == '/')
			break;
		if (c == '0' && !has_number && next_is_digit)
			continue;
		has_number = is_digit;
		if (n + 1 == ADDRESS_BYTES_MAX)
			return false;
		out[n++] = (char)c;
	}
	*ret = (struct bh_slice){ (const uint8_t *)out, n };
	return true;
}

static bool is_sloppy_v4(struct bh_slice text)
{
	char buffer[ADDRESS_BYTES_MAX];
	struct cel_address a;
	struct bh_slice plain;
	return drop_zeros(text, buffer, &plain) && cel_address_parse(plain, &a) == NULL && !a.is_v6;
}

/* ::ffff:1.2.3.4 is one, too. */
static bool is_ipv4(struct bh_slice text)
{
	struct cel_address a;
	return bh_slice_find(text, '.') < text.len && (is_sloppy_v4(text) || cel_address_parse_v6(text, &a));
}

static bool is_ipv6(struct bh_slice text)
{
	struct cel_address a;
	return bh_slice_find(text, ':') < text.len && cel_address_parse_v6(text, &a);
}

static bool is_cidr(struct bh_slice text)
{
	struct cel_address a;
	struct bh_slice address, length;
	uint64_t bits;
	if (cel_prefix_parse(text, &a) == NULL)
		return true;
	return bh_slice_cut(text, '/', &address, &length) && is_sloppy_v4(address) && bh_slice_u64(length, 32, &bits);
}

static bool is_uri(struct bh_slice text)
{
	struct bh_arena arena;
	bh_arena_init(&arena, URL_BYTES_MAX);
	bool ok = cel_url_check(text, &arena) == NULL;
	bh_arena_done(&arena);
	return ok;
}

/* Digits of the text, without anything between them; 0: too many. */
static size_t digits_of(struct bh_slice text, const char *extra, char out[DIGITS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.ptr[i];
		if ((c < '0' || c > '9') && !(c && strchr(extra, c)))
			continue;
		if (n + 1 == DIGITS_MAX)
			return 0;
		out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

/* Without blanks and dashes, which may stand anywhere in an ISBN. */
static bool is_only(struct bh_slice text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == 0 || !strchr(allowed, text.ptr[i]))
			return false;
	return true;
}

static bool is_isbn10(struct bh_slice text)
{
	char d[DIGITS_MAX];
	unsigned sum = 0;
	size_t n = digits_of(text, "X", d);
	if (n != 10 || !is_only(text, "0123456789X- \t\n\v\f\r") || strcspn(d, "X") < 9)
		return false;
	for (unsigned i = 0; i < 10; i++)
		sum += (i + 1) * (d[i] == 'X' ? 10u : (unsigned)(d[i] - '0'));
	return sum % 11 == 0;
}

static bool is_isbn13(struct bh_slice text)
{
	char d[DIGITS_MAX];
	unsigned sum = 0;
	if (digits_of(text, "", d) != 13 || !is_only(text, "0123456789- \t\n\v\f\r"))
		return false;
	for (unsigned i = 0; i < 12; i++)
		sum += (i % 2 ? 3u : 1u) * (unsigned)(d[i] - '0');
	return (10 - sum % 10) % 10 == (unsigned)(d[12] - '0');
}

static bool is_isbn(struct bh_slice text)
{
	return is_isbn10(text) || is_isbn13(text);
}

static bool passes_luhn(const char *d, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned v = (unsigned)(d[n - 1 - i] - '0') * (i % 2 ? 2u : 1u);
		sum += v > 9 ? v - 9 : v;
	}
	return sum % 10 == 0;
}

static bool any(struct bh_slice text)
{
	(void)text;
	return true;
}

/* ---- times ---- */

static bool starts_with_word(struct bh_slice unit, const char *word)
{
	return bh_slice_starts(unit, bh_slice_str(word));
}

/* Seconds and nanoseconds of a unit of strfmt: the last spelling of each may go on ("minutes"). */
static bool unit_of(struct bh_slice unit, int64_t *ret_seconds, int64_t *ret_nanos)
{
	static const struct {
		const char *exact[3], *prefix;
		int64_t seconds, nanos;
	} units[] = {
		{ { "ns", NULL, NULL }, "nano", 0, 1 },      { { "us", "\xc2\xb5s", NULL }, "micro", 0, 1000 }, { { "ms", NULL, NULL }, "milli", 0, 1000000 },
		{ { "s", NULL, NULL }, "sec", 1, 0 },        { { "m", NULL, NULL }, "min", 60, 0 },	      { { "h", "hr", NULL }, "hour", 3600, 0 },
		{ { "d", NULL, NULL }, "day", 86400, 0 },    { { "w", "wk", NULL }, "week", 604800, 0 },
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (starts_with_word(unit, units[i].prefix) || bh_slice_is_one_of(unit, units[i].exact)) {
			*ret_seconds = units[i].seconds;
			*ret_nanos = units[i].nanos;
			return true;
		}
	return false;
}

static size_t run_of(struct bh_slice text, size_t from, bool digits)
{
	size_t i = from;
	for (; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		bool is_digit = c >= '0' && c <= '9', is_letter = (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || c == 0xc2 || c == 0xb5;
		if (digits ? !is_digit : !is_letter)
			break;
	}
	return i - from;
}

static bool add_part(struct bh_slice number, struct bh_slice word, struct cel_time *sum)
{
	char lower[NAME_BYTES_MAX];
	uint64_t n;
	int64_t seconds, nanos;
	struct cel_time part;
	if (!bh_slice_u64(number, INT32_MAX, &n) || word.len >= sizeof(lower))
		return false;
	for (size_t i = 0; i < word.len; i++)
		lower[i] = (char)bh_lower(word.ptr[i]);
	if (!unit_of((struct bh_slice){ (const uint8_t *)lower, word.len }, &seconds, &nanos))
		return false;
	nanos *= (int64_t)n;
	part = (struct cel_time){ seconds * (int64_t)n + nanos / CEL_NANOS_PER_SECOND, (int32_t)(nanos % CEL_NANOS_PER_SECOND) };
	return cel_duration_add(*sum, part, 1, sum);
}

bool crd_duration(struct bh_slice text, struct cel_time *ret)
{
	struct bh_err err;
	struct cel_time sum = { 0 };
	bool found = false;
	if (cel_duration_parse(text, ret, &err) == 0)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		size_t n = run_of(text, i, true), j = i + n;
		while (n && j < text.len && (text.ptr[j] == ' ' || text.ptr[j] == '\t'))
			j++;
		size_t word = n ? run_of(text, j, false) : 0;
		if (word == 0)
			continue;
		found |= add_part(bh_slice_sub(text, i, n), bh_slice_sub(text, j, word), &sum);
		i = j + word - 1;
	}
	*ret = sum;
	return found;
}

bool crd_date(struct bh_slice text, struct cel_time *ret)
{
	uint64_t year, month, day;
	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' || !bh_slice_u64(bh_slice_sub(text, 0, 4), 9999, &year)
	    || !bh_slice_u64(bh_slice_sub(text, 5, 2), 12, &month) || !bh_slice_u64(bh_slice_sub(text, 8, 2), 31, &day) || month == 0 || day == 0
	    || day > (uint64_t)cel_days_in_month((int64_t)year, (int)month))
		return false;
	*ret = (struct cel_time){ cel_days((int64_t)year, (int)month, (int)day) * CEL_SECONDS_PER_DAY, 0 };
	return true;
}

/* RFC 3339, and a local time without a zone. */
bool crd_date_time(struct bh_slice text, struct cel_time *ret)
{
	char with_zone[40];
	struct bh_err err;
	if (cel_timestamp_parse(text, ret, &err) == 0)
		return true;
	if (text.len != 19)
		return false;
	memcpy(with_zone, text.ptr, 19);
	with_zone[19] = 'Z';
	return cel_timestamp_parse((struct bh_slice){ (const uint8_t *)with_zone, 20 }, ret, &err) == 0;
}

static bool is_duration(struct bh_slice text)
{
	struct cel_time t;
	return crd_duration(text, &t);
}

static bool is_date(struct bh_slice text)
{
	struct cel_time t;
	return crd_date(text, &t);
}

/* The pattern looks at the rest. */
static bool starts_with_date(struct bh_slice text)
{
	return is_date(bh_slice_sub(text, 0, DATE_BYTES));
}

/* ---- what an expression alone does not tell ---- */

static bool is_host(struct bh_slice text)
{
	struct bh_slice label, rest = text;
	if (text.len > HOST_BYTES_MAX)
		return false;
	while (rest.len) {
		(void)bh_slice_cut(rest, '.', &label, &rest);
		if (label.len > LABEL_BYTES_MAX)
			return false;
	}
	return true;
}

static bool is_ssn(struct bh_slice text)
{
	return text.len == SSN_BYTES;
}

static bool is_short(struct bh_slice text)
{
	return text.len <= LABEL_BYTES_MAX;
}

static bool is_long(struct bh_slice text)
{
	return text.len <= LONG_NAME_BYTES_MAX;
}

static bool is_card(struct bh_slice text)
{
	char d[DIGITS_MAX];
	size_t n = digits_of(text, "", d);
	return passes_luhn(d, n);
}

/* ---- the table: formats have their names without dashes ---- */

#define UUID(third, fourth) "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?" third "[0-9a-f]{3}-?" fourth "[0-9a-f]{3}-?[0-9a-f]{12}$"
#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define BYTE_OF_COLOR "\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*"
#define LETTER "a-zA-Z0-9\\p{S}\\p{L}"
#define ATOM "[-a-zA-Z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}]+"

static const struct {
	const char *name;
	bool (*fits)(struct bh_slice text); /* asked beside the pattern; NULL: the pattern is all */
	const char *pattern;                /* NULL: the function is all */
	bool digits_only;                   /* the pattern is for the digits of the text */
	unsigned since;
} formats[] = {
	{ "bsonobjectid", NULL, "^[0-9a-fA-F]{24}$", false, 0 },
	{ "uri", is_uri, NULL, false, 0 },
	{ "email", NULL, "^(\\s*|[^<>]*<)" ATOM "(\\." ATOM ")*@(" ATOM "(\\." ATOM ")*|\\[[^\\]]*\\])(\\s*|>\\s*)$", false, 0 },
	{ "hostname", is_host,
	  "^([" LETTER "]((-?[" LETTER "]{0,62})?)|([" LETTER "](([" LETTER "-]{0,61}[" LETTER "])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$", false, 0 },
	{ "ipv4", is_ipv4, NULL, false, 0 },
	{ "ipv6", is_ipv6, NULL, false, 0 },
	{ "cidr", is_cidr, NULL, false, 0 },
	{ "mac", NULL,
	  "^(?i)([0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(:[0-9a-f]{2}){7}|[0-9a-f]{2}(:[0-9a-f]{2}){19}|[0-9a-f]{2}(-[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){7}|"
	  "[0-9a-f]{2}(-[0-9a-f]{2}){19}|[0-9a-f]{4}(\\.[0-9a-f]{4}){2}|[0-9a-f]{4}(\\.[0-9a-f]{4}){3}|[0-9a-f]{4}(\\.[0-9a-f]{4}){9})$", false, 0 },
	{ "uuid", NULL, UUID("[0-9a-f]", "[0-9a-f]"), false, 0 },
	{ "uuid3", NULL, UUID("3", "[0-9a-f]"), false, 0 },
	{ "uuid4", NULL, UUID("4", "[89ab]"), false, 0 },
	{ "uuid5", NULL, UUID("5", "[89ab]"), false, 0 },
	{ "isbn", is_isbn, NULL, false, 0 },
	{ "isbn10", is_isbn10, NULL, false, 0 },
	{ "isbn13", is_isbn13, NULL, false, 0 },
	{ "creditcard", is_card,
	  "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$", true, 0 },
	{ "ssn", is_ssn, "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$", false, 0 },
	{ "hexcolor", NULL, "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", false, 0 },
	{ "rgbcolor", NULL, "^rgb\\(" BYTE_OF_COLOR "," BYTE_OF_COLOR "," BYTE_OF_COLOR "\\)$", false, 0 },
	{ "byte", NULL, "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$", false, 0 },
	{ "password", any, NULL, false, 0 },
	{ "date", is_date, NULL, false, 0 },
	{ "duration", is_duration, NULL, false, 0 },
	{ "datetime", starts_with_date, "(?i)^.{10}t([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$", false, 0 },
	{ "k8sshortname", is_short, "^" LABEL "$", false, NEW_FORMATS_SINCE },
	{ "k8slongname", is_long, "^" LABEL "(\\." LABEL ")*$", false, NEW_FORMATS_SINCE },
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

/* "date-time" is "datetime". */
static size_t find_format(struct bh_slice format)
{
	char name[NAME_BYTES_MAX];
	size_t n = 0, i = 0;
	for (size_t k = 0; k < format.len; k++)
		if (format.ptr[k] != '-' && n + 1 < sizeof(name))
			name[n++] = (char)format.ptr[k];
	name[n] = '\0';
	while (i < N_FORMATS && strcmp(formats[i].name, name) != 0)
		i++;
	return i;
}

int crd_format_fits(struct crd_formats *f, struct bh_slice format, unsigned minor, struct bh_slice text, bool *ret, struct bh_err *err)
{
	char digits[DIGITS_MAX];
	size_t i = find_format(format);
	_Static_assert(N_FORMATS <= CRD_FORMATS_MAX, "room for the expression of every format");
	*ret = true;
	if (i == N_FORMATS || minor < formats[i].since)
		return 0;
	if (formats[i].pattern && !f->kept[i]) {
		int rc = bh_regex_compile(bh_slice_str(formats[i].pattern), BH_REGEX_UTF8, MEMORY_BYTES, &f->kept[i], err);
		if (rc < 0)
			return rc;
	}
	*ret = !formats[i].fits || formats[i].fits(text);
	if (formats[i].digits_only)
		text = (struct bh_slice){ (const uint8_t *)digits, digits_of(text, "", digits) };
	if (*ret && formats[i].pattern)
		*ret = bh_regex_search(f->kept[i], text, 0, NULL, 0) == 1;
	return 0;
}

void crd_formats_done(struct crd_formats *f)
{
	for (size_t i = 0; i < CRD_FORMATS_MAX; i++)
		bh_regex_free(f->kept[i]);
	*f = (struct crd_formats){ 0 };
}
