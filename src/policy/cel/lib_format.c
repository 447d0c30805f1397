/*
 * lib_format.c: named formats of Kubernetes: format.dns1123Label().validate(x) is none, or the complaints that Kubernetes' API would give (apiserver,
 * library/format.go; apimachinery, util/validation; since 1.31).
 */
#include "format/regex.h"
#include "policy/cel/library.h"
#include "policy/cel/time.h"

#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN LABEL "(\\." LABEL ")*"
#define LABEL_1035 "[a-z]([-a-z0-9]*[a-z0-9])?"
#define NAME_PART "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define LABEL_TEXT                                                                                                                                    \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character " \
	"(e.g. 'my-name',  or '123-abc', regex used for validation is '" LABEL "')"
#define SUBDOMAIN_TEXT                                                                                                                                     \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric " \
	"character (e.g. 'example.com', regex used for validation is '" LABEL "(\\." LABEL ")*')"
#define LABEL_1035_TEXT                                                                                                                                     \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric " \
	"character (e.g. 'my-name',  or 'abc-123', regex used for validation is '" LABEL_1035 "')"
#define LABEL_VALUE_TEXT                                                                                                                               \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
	"character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define NAME_TEXT                                                                                                                                      \
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  " \
	"or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

struct named {
	struct cel_object object;
	const char *name, *pattern, *complaint; /* the pattern is anchored */
	size_t max_len;                         /* 0: none */
	bool is_prefix;                         /* "generateName": one dash may end it */
};

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return a == b;
}

static const struct cel_object_class class = { "kubernetes.NamedFormat", equal };

#define FORMAT(...) { { &class }, __VA_ARGS__ }

static const struct named formats[] = {
	FORMAT("dns1123Label", "^" LABEL "$", LABEL_TEXT, 63, false),
	FORMAT("dns1123Subdomain", "^" SUBDOMAIN "$", SUBDOMAIN_TEXT, 253, false),
	FORMAT("dns1035Label", "^" LABEL_1035 "$", LABEL_1035_TEXT, 63, false),
	FORMAT("qualifiedName", "^(" SUBDOMAIN "/)?" NAME_PART "$", NAME_TEXT, 0, false),
	FORMAT("dns1123LabelPrefix", "^" LABEL "$", LABEL_TEXT, 63, true),
	FORMAT("dns1123SubdomainPrefix", "^" SUBDOMAIN "$", SUBDOMAIN_TEXT, 253, true),
	FORMAT("dns1035LabelPrefix", "^" LABEL_1035 "$", LABEL_1035_TEXT, 63, true),
	FORMAT("labelValue", "^(" NAME_PART ")?$", LABEL_VALUE_TEXT, 63, false),
	FORMAT("uri", "^([A-Za-z][-A-Za-z0-9+.]*:[^\\x00-\\x1f\\x7f]*|/[^\\x00-\\x1f\\x7f]*)$", "an absolute URI or path was expected", 0, false),
	FORMAT("uuid", "^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", "does not match the UUID format", 0, false),
	FORMAT("byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$", "invalid base64", 0, false),
	FORMAT("date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "invalid date", 0, false),
	FORMAT("datetime", NULL, "invalid datetime", 0, false),
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

/* A date of the calendar, or RFC 3339. */
static bool is_time(const struct named *f, struct bh_slice text)
{
	char stamp[32] = "";
	struct cel_time t;
	struct bh_err err;
	if (!f->pattern)
		return cel_timestamp_parse(text, &t, &err) == 0;
	if (f->pattern[2] != '0' || text.len != 10)
		return true;
	memcpy(stamp, text.ptr, text.len);
	memcpy(stamp + text.len, "T00:00:00Z", sizeof("T00:00:00Z"));
	return cel_timestamp_parse(bh_slice_str(stamp), &t, &err) == 0;
}

static bool is_prefixed(const char *name)
{
	return strcmp(name, "qualifiedName") == 0;
}

/* Adds a complaint. */
static bool complain(struct cel_run *run, struct cel_value *list, size_t *n, const char *text)
{
	list[*n] = cel_string_copy(run, bh_slice_str(text));
	return cel_is_known(list[(*n)++]);
}

static bool too_long(const struct named *f, struct bh_slice text, size_t *max)
{
	size_t slash = is_prefixed(f->name) ? bh_slice_find(text, '/') : text.len;
	*max = is_prefixed(f->name) ? 63 : f->max_len;
	size_t len = slash < text.len ? text.len - slash - 1 : text.len;
	return *max && len > *max;
}

FUNCTION(validate)
{
	const struct named *f = (const struct named *)(const void *)a[0].object;
	struct bh_slice text = a[1].text, whole;
	struct cel_value *list = bh_arena_array(cel_arena(run), 2, sizeof(*list)), bad;
	size_t found = 0, max;
	(void)n;
	if (!list)
		return cel_out_of_memory();
	if (f->is_prefix && text.len > 1 && text.ptr[text.len - 1] == '-')
		text.len--;
	if (too_long(f, text, &max)
	    && !complain(run, list, &found, max == 253 ? "must be no more than 253 characters" : "must be no more than 63 characters"))
		return cel_out_of_memory();
	const struct bh_regex *re = f->pattern ? cel_regex(run, bh_slice_str(f->pattern), &bad) : NULL;
	if (f->pattern && !re)
		return bad;
	if ((re && bh_regex_search(re, text, 0, &whole, 1) != 1) || !is_time(f, text))
		if (!complain(run, list, &found, f->complaint))
			return cel_out_of_memory();
	return found ? cel_some(run, cel_list_of(cel_arena(run), list, found)) : cel_optional(NULL);
}

/* format.NAME() gives the one of the name that was called: one function each. */
#define GET(i, name)                                                                                                 \
	FUNCTION(name)                                                                                               \
	{                                                                                                            \
		(void)run, (void)a, (void)n;                                                                         \
		return cel_object(&formats[i].object);                                                               \
	}

GET(0, dns1123Label)
GET(1, dns1123Subdomain)
GET(2, dns1035Label)
GET(3, qualifiedName)
GET(4, dns1123LabelPrefix)
GET(5, dns1123SubdomainPrefix)
GET(6, dns1035LabelPrefix)
GET(7, labelValue)
GET(8, uri)
GET(9, uuid)
GET(10, byte)
GET(11, date)
GET(12, datetime)

#define F "kubernetes.NamedFormat"
#define OVERLOAD(name) { "format." #name, "format-" #name, "() -> " F, name, NULL }

static uint64_t cost_of_validate(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	const struct named *f = (const struct named *)(const void *)args[0].object;
	const struct cel_value match[] = { args[1], cel_string(bh_slice_str(f->pattern)) };
	return cel_cost_of_match(match, n, result);
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
