/*
 * lib_format.c: named formats of Kubernetes: format.dns1123Label().validate(x) is none, or the complaints that Kubernetes' API would give (apiserver,
 * library/format.go; apimachinery, util/validation; since 1.31).
 */
#include "format/regex.h"
#include "policy/cel/library.h"
#include "policy/cel/url.h"

#include <stdio.h>

#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN LABEL "(\\." LABEL ")*"
#define LABEL_1035 "[a-z]([-a-z0-9]*[a-z0-9])?"
#define NAME_PART "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define LABEL_TEXT \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character " \
	"(e.g. 'my-name',  or '123-abc', regex used for validation is '" LABEL "')"
#define SUBDOMAIN_TEXT \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric " \
	"character (e.g. 'example.com', regex used for validation is '" LABEL "(\\." LABEL ")*')"
#define LABEL_1035_TEXT \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric " \
	"character (e.g. 'my-name',  or 'abc-123', regex used for validation is '" LABEL_1035 "')"
#define LABEL_VALUE_TEXT \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
	"character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define NAME_TEXT \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  " \
	"or 'my.name',  or '123-abc', regex used for validation is '" NAME_PART "')"

#define DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define TIME "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([^T\\n][0-9]+)?"
#define UUID_PATTERN "^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"
#define URI_SHOWN_BYTES_MAX 256u /* in a complaint; Kubernetes shows all */
#define COMPLAINTS_MAX 4u /* of a qualified name: two parts, two each */

struct named {
	struct cel_object object;
	const char *name, *pattern, *complaint; /* the pattern is anchored */
	size_t pattern_bytes;                   /* that Kubernetes charges for */
	size_t bytes_max;                       /* of the text; 0: no limit of its own */
	const char *unit;                       /* what its message calls them */
	bool is_prefix;                         /* "generateName": a dash may end it, standing for what is added */
};

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return a == b;
}

static const struct cel_object_class class = { "kubernetes.NamedFormat", equal };

enum { LABEL_1123, SUBDOMAIN_1123, LABEL_1035_, QUALIFIED_NAME, LABEL_1123_PREFIX, SUBDOMAIN_1123_PREFIX, LABEL_1035_PREFIX, LABEL_VALUE, URI,
       UUID, BYTE, DATE_, DATETIME };

#define FORMAT(...) { { &class }, __VA_ARGS__ }

static const struct named formats[] = {
	[LABEL_1123] = FORMAT("dns1123Label", "^" LABEL "$", LABEL_TEXT, 30, 63, "characters", false),
	[SUBDOMAIN_1123] = FORMAT("dns1123Subdomain", "^" SUBDOMAIN "$", SUBDOMAIN_TEXT, 60, 253, "characters", false),
	[LABEL_1035_] = FORMAT("dns1035Label", "^" LABEL_1035 "$", LABEL_1035_TEXT, 30, 63, "characters", false),
	[QUALIFIED_NAME] = FORMAT("qualifiedName", "^" NAME_PART "$", NAME_TEXT, 60, 63, "bytes", false),
	[LABEL_1123_PREFIX] = FORMAT("dns1123LabelPrefix", "^" LABEL "$", LABEL_TEXT, 30, 63, "characters", true),
	[SUBDOMAIN_1123_PREFIX] = FORMAT("dns1123SubdomainPrefix", "^" SUBDOMAIN "$", SUBDOMAIN_TEXT, 60, 253, "characters", true),
	[LABEL_1035_PREFIX] = FORMAT("dns1035LabelPrefix", "^" LABEL_1035 "$", LABEL_1035_TEXT, 30, 63, "characters", true),
	[LABEL_VALUE] = FORMAT("labelValue", "^(" NAME_PART ")?$", LABEL_VALUE_TEXT, 40, 63, "bytes", false),
	[URI] = FORMAT("uri", NULL, NULL, 1103, 0, NULL, false),
	[UUID] = FORMAT("uuid", UUID_PATTERN, "does not match the UUID format", 70, 0, NULL, false),
	[BYTE] = FORMAT("byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$", "invalid base64", 84, 0, NULL, false),
	[DATE_] = FORMAT("date", "^" DATE "$", "invalid date", 71, 0, NULL, false),
	/* The zone's hours are not checked, nor what stands behind a second T (kube-openapi, strfmt.IsDateTime). */
	[DATETIME] = FORMAT("datetime", "^(?i)" DATE "T" TIME "(Z|[+-][0-9]{2}:[0-9]{2})(T|$)", "invalid datetime", 71, 0, NULL, false),
};

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

FUNCTION(by_name)
{
	(void)n;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (bh_slice_eq_str(a[0].text, formats[i].name))
			return cel_some(run, cel_object(&formats[i].object));
	return cel_optional(NULL);
}

/* ---- complaints ---- */

struct complaints {
	struct cel_run *run;
	struct cel_value items[COMPLAINTS_MAX];
	size_t n;
	struct cel_value failure; /* known: none */
};

static void complain(struct complaints *to, const char *part, const char *text)
{
	char whole[768];
	snprintf(whole, sizeof(whole), "%s%s", part, text);
	struct cel_value v = cel_string_copy(to->run, bh_slice_str(whole));
	if (!cel_is_known(v))
		to->failure = v;
	else if (to->n < COMPLAINTS_MAX)
		to->items[to->n++] = v;
}

static bool matches(struct complaints *to, const char *pattern, struct bh_slice text)
{
	struct cel_value bad;
	struct bh_slice whole;
	const struct bh_regex *re = cel_regex(to->run, bh_slice_str(pattern), &bad);
	int rc = re ? bh_regex_search(re, text, 0, &whole, 1) : 0;
	if (!re)
		to->failure = bad;
	else if (rc < 0)
		to->failure = cel_out_of_memory();
	return rc == 1;
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The date in front is one of the calendar; its digits have been seen to. */
static bool is_date(struct bh_slice text)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t year, month, day;
	if (!bh_slice_u64(bh_slice_sub(text, 0, 4), 9999, &year) || !bh_slice_u64(bh_slice_sub(text, 5, 2), 12, &month)
	    || !bh_slice_u64(bh_slice_sub(text, 8, 2), 31, &day) || month == 0 || day == 0)
		return false;
	return day <= days[month - 1] + (month == 2 && is_leap((unsigned)year));
}

static void check_length(struct complaints *to, const char *part, struct bh_slice text, size_t max, const char *unit)
{
	char why[64];
	snprintf(why, sizeof(why), "must be no more than %zu %s", max, unit);
	if (text.len > max)
		complain(to, part, why);
}

/* Length and pattern; a label that is a subdomain has dots. */
static void check(struct complaints *to, const char *part, const struct named *f, struct bh_slice text, const char *unit)
{
	if (f->bytes_max)
		check_length(to, part, text, f->bytes_max, unit);
	bool good = matches(to, f->pattern, text);
	if (good && (f == &formats[DATE_] || f == &formats[DATETIME]))
		good = is_date(text);
	if (good || !cel_is_known(to->failure))
		return;
	bool has_dots = (f == &formats[LABEL_1123] || f == &formats[LABEL_1123_PREFIX]) && matches(to, formats[SUBDOMAIN_1123].pattern, text);
	complain(to, part, has_dots ? "must not contain dots" : f->complaint);
}

/* name, or prefix/name. */
static void check_name(struct complaints *to, struct bh_slice text)
{
	const struct named *f = &formats[QUALIFIED_NAME];
	struct bh_slice prefix, name, more;
	bool has_prefix = bh_slice_cut(text, '/', &prefix, &name);
	if (has_prefix && bh_slice_cut(name, '/', &more, &more)) {
		complain(to, "a valid label key ", NAME_TEXT " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
		return;
	}
	if (has_prefix && prefix.len == 0)
		complain(to, "prefix part ", "must be non-empty");
	else if (has_prefix)
		check(to, "prefix part ", &formats[SUBDOMAIN_1123], prefix, "bytes");
	name = has_prefix ? name : text;
	if (name.len == 0)
		complain(to, "name part ", "must be non-empty");
	check(to, "name part ", f, name, f->unit);
}

static void check_uri(struct complaints *to, struct bh_slice text)
{
	const char *wrong = cel_url_check(text, cel_arena(to->run));
	struct bh_slice shown = bh_slice_sub(text, 0, URI_SHOWN_BYTES_MAX);
	char part[URI_SHOWN_BYTES_MAX + 16];
	snprintf(part, sizeof(part), "parse \"%.*s\": ", BH_SLICE_FMT(shown));
	if (wrong)
		complain(to, part, wrong);
}

/* A dash at the end and what stands before it count as one letter, as in Kubernetes. */
static bool mask_dash(struct cel_run *run, struct bh_slice *text)
{
	if (text->len < 2 || text->ptr[text->len - 1] != '-')
		return true;
	uint8_t *p = bh_arena_alloc(cel_arena(run), text->len);
	if (!p)
		return false;
	memcpy(p, text->ptr, text->len - 2);
	p[text->len - 2] = 'a';
	*text = (struct bh_slice){ p, text->len - 1 };
	return true;
}

FUNCTION(validate)
{
	const struct named *f = (const struct named *)(const void *)a[0].object;
	struct complaints to = { .run = run, .failure = cel_bool(true) };
	struct bh_slice text = a[1].text;
	(void)n;
	if (f->is_prefix && !mask_dash(run, &text))
		return cel_out_of_memory();
	if (f == &formats[URI])
		check_uri(&to, text);
	else if (f == &formats[QUALIFIED_NAME])
		check_name(&to, text);
	else
		check(&to, "", f, text, f->unit);
	if (!cel_is_known(to.failure))
		return to.failure;
	if (to.n == 0)
		return cel_optional(NULL);
	struct cel_value *list = bh_arena_array(cel_arena(run), to.n, sizeof(*list));
	if (!list)
		return cel_out_of_memory();
	memcpy(list, to.items, to.n * sizeof(*list));
	return cel_some(run, cel_list_of(cel_arena(run), list, to.n));
}

/* format.NAME() gives the one of the name that was called: one function each. */
#define GET(i, name)                                                                                                 \
	FUNCTION(name)                                                                                               \
	{                                                                                                            \
		(void)run, (void)a, (void)n;                                                                         \
		return cel_object(&formats[i].object);                                                               \
	}

GET(LABEL_1123, dns1123Label)
GET(SUBDOMAIN_1123, dns1123Subdomain)
GET(LABEL_1035_, dns1035Label)
GET(QUALIFIED_NAME, qualifiedName)
GET(LABEL_1123_PREFIX, dns1123LabelPrefix)
GET(SUBDOMAIN_1123_PREFIX, dns1123SubdomainPrefix)
GET(LABEL_1035_PREFIX, dns1035LabelPrefix)
GET(LABEL_VALUE, labelValue)
GET(URI, uri)
GET(UUID, uuid)
GET(BYTE, byte)
GET(DATE_, date)
GET(DATETIME, datetime)

#define F "kubernetes.NamedFormat"
#define OVERLOAD(name) { "format." #name, "format-" #name, "() -> " F, name, NULL }

static uint64_t cost_of_validate(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	const struct named *f = (const struct named *)(const void *)args[0].object;
	(void)n, (void)result;
	return (1 + cel_size_of(args[1]) + 9) / 10 * ((f->pattern_bytes + 3) / 4);
}

static const struct cel_overload overloads[] = {
	{ "format.named", "format-named", "(string) -> optional_type(" F ")", by_name, NULL },
	{ "validate", "format-validate", F ".(string) -> optional_type(list(string))", validate, cost_of_validate },
	OVERLOAD(dns1123Label), OVERLOAD(dns1123Subdomain), OVERLOAD(dns1035Label), OVERLOAD(qualifiedName), OVERLOAD(dns1123LabelPrefix),
	OVERLOAD(dns1123SubdomainPrefix), OVERLOAD(dns1035LabelPrefix), OVERLOAD(labelValue), OVERLOAD(uri), OVERLOAD(uuid), OVERLOAD(byte),
	OVERLOAD(date), OVERLOAD(datetime),
	{ 0 },
};

const struct cel_library cel_library_format = { .name = "format", .overloads = overloads };
