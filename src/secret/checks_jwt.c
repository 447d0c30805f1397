/* checks_jwt.c: JSON web tokens (RFC 7519): header and claims are JSON objects in base64url; what they say of issuer, subject and end is told. */
#include "secret/checks.h"

#include "format/json.h"

#include <stdio.h>

#define PART_BYTES_MAX 16384u
#define CLAIM_BYTES_SHOWN 48u
#define END_BYTES 32u
#define END_MAX 253402300799 /* the last second of 9999 */

struct token {
	struct bh_json *header, *claims;
};

static void token_done(struct token *t)
{
	bh_json_free(t->header);
	bh_json_free(t->claims);
}

static bool part(struct bh_slice text, struct bh_json **ret)
{
	struct bh_buf bytes;
	struct bh_err err;
	bool good = secret_decode(&bytes, text, PART_BYTES_MAX) && bh_json_parse(bh_buf_slice(&bytes), PART_BYTES_MAX, ret, &err) == 0;
	bh_buf_wipe(&bytes);
	return good && bh_json_is_object(bh_json_root(*ret));
}

static bool token_of(struct bh_slice text, struct token *ret)
{
	struct bh_slice header, rest, claims, signature;
	*ret = (struct token){ 0 };
	return bh_slice_cut(text, '.', &header, &rest) && bh_slice_cut(rest, '.', &claims, &signature) && part(header, &ret->header) && part(claims, &ret->claims);
}

static const struct bh_json_node *claim(const struct token *t, const char *name)
{
	return bh_json_get(bh_json_root(t->claims), name);
}

static bool is_signed(const struct token *t)
{
	struct bh_slice algorithm = bh_json_str(bh_json_get(bh_json_root(t->header), "alg"));
	return algorithm.len > 0 && !bh_slice_eq_str(algorithm, "none");
}

/*
 * "expires 2026-01-31": the day only, so that the same bytes are told the same whenever they are read. Days to a date by hand: the C library reads the zone's file even
 * for UTC, and a sandboxed child can't open it. Years are counted from March, so that the leap day is the last.
 */
static void say_end(const struct token *t, char text[END_BYTES])
{
	int64_t end;
	text[0] = '\0';
	if (!bh_json_i64(claim(t, "exp"), &end) || end < 0 || end > END_MAX)
		return;
	uint32_t days = (uint32_t)(end / 86400) + 719468, era = days / 146097, of_era = days % 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365, of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
	(void)snprintf(text, END_BYTES, "expires %04u-%02u-%02u", year + era * 400 + (month >= 10), month < 10 ? month + 3 : month - 9, day);
}

static void say(const struct token *t, const char *what, struct bh_slice value, char said[SECRET_SAID_BYTES])
{
	char end[END_BYTES];
	say_end(t, end);
	value = bh_slice_sub(value, 0, CLAIM_BYTES_SHOWN);
	if (value.len == 0)
		(void)snprintf(said, SECRET_SAID_BYTES, "%s", end[0] ? end : "never expires");
	else
		(void)snprintf(said, SECRET_SAID_BYTES, "%s %.*s, %s", what, BH_SLICE_FMT(value), end[0] ? end : "never expires");
}

/* Tokens that everybody may have: of documentation, and those that are made to stand in web pages. */
static bool is_public(const struct token *t)
{
	static const char *const people[] = { "John Doe", "Jane Doe", "test", "Test User", NULL };
	struct bh_slice role = bh_json_str(claim(t, "role"));
	return bh_slice_eq_str(role, "anon") || bh_slice_is_one_of(bh_json_str(claim(t, "name")), people) || bh_json_len(bh_json_root(t->claims)) == 0;
}

enum secret_form secret_check_jwt(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct token t;
	(void)around;
	bool good = token_of(secret, &t) && is_signed(&t) && !is_public(&t) && !secret_is_known(secret);
	if (good)
		say(&t, "from", bh_json_str(claim(&t, "iss")), said);
	token_done(&t);
	return good ? SECRET_VALID : SECRET_WRONG;
}

/* Bound tokens have an object "kubernetes.io"; those of secrets, claims that begin with it. */
enum secret_form secret_check_kubernetes_token(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct token t;
	(void)around;
	bool good = token_of(secret, &t) && is_signed(&t) &&
		    (bh_json_is_object(claim(&t, "kubernetes.io")) || bh_slice_eq_str(bh_json_str(claim(&t, "iss")), "kubernetes/serviceaccount"));
	if (good)
		say(&t, "of", bh_json_str(claim(&t, "sub")), said);
	token_done(&t);
	return good ? SECRET_VALID : SECRET_WRONG;
}

enum secret_form secret_check_supabase_jwt(struct bh_slice secret, struct bh_slice around, char said[SECRET_SAID_BYTES])
{
	struct token t;
	(void)around;
	bool good = token_of(secret, &t) && bh_slice_eq_str(bh_json_str(claim(&t, "role")), "service_role");
	if (good)
		say(&t, "of project", bh_json_str(claim(&t, "ref")), said);
	token_done(&t);
	return good ? SECRET_VALID : SECRET_WRONG;
}
