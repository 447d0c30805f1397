/* headers.c: what an answer said about its body: lines of hostile text, searched, never trusted. */
#include "net/http.h"

#include <stdio.h>
#include <strings.h>

#define HEADER_BYTES_MAX (64u << 10)  /* of one answer; servers cap requests at 8 to 16 KiB */
#define PROBLEM_BYTES_MAX (64u << 10)
#define QUOTE_BYTES_MAX 200u          /* of a server's own words, in an error */

void net_response_init(struct net_response *r)
{
	*r = (struct net_response){ 0 };
	bh_buf_init(&r->headers, HEADER_BYTES_MAX);
	bh_buf_init(&r->problem, PROBLEM_BYTES_MAX);
}

void net_response_done(struct net_response *r)
{
	bh_buf_done(&r->headers);
	bh_buf_done(&r->problem);
}

struct bh_slice net_header(const struct net_response *r, const char *name, size_t n)
{
	struct bh_slice rest = bh_buf_slice(&r->headers), line;
	size_t len = strlen(name);
	while (rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (line.len > len && line.ptr[len] == ':' && strncasecmp((const char *)line.ptr, name, len) == 0 && n-- == 0)
			return bh_slice_trim(bh_slice_sub(line, len + 1, line.len));
	}
	return (struct bh_slice){ 0 };
}

static bool is_plain_text(const struct net_response *r)
{
	return bh_slice_starts(net_header(r, "Content-Type", 0), BH_SLICE_LIT("text/plain"));
}

int net_refused(const struct net_response *r, const char *what, struct bh_err *err)
{
	enum bh_code code = r->status == 404 || r->status == 410 ? BH_ENOTFOUND : BH_EIO;
	char quote[QUOTE_BYTES_MAX * 4 + 8] = "";
	struct bh_slice words = bh_slice_trim(bh_slice_sub(bh_buf_slice(&r->problem), 0, QUOTE_BYTES_MAX));
	struct bh_buf safe;
	bh_buf_init(&safe, sizeof(quote) - 4);
	if (words.len && is_plain_text(r) && bh_buf_add_escaped(&safe, words))
		snprintf(quote, sizeof(quote), ": %.*s", BH_SLICE_FMT(bh_buf_slice(&safe)));
	bh_buf_done(&safe);
	if (r->status == 401 || r->status == 403)
		return bh_fail(err, code, 0, "%s: %s refuses access (%d)%.300s", what, r->host, r->status, quote);
	return bh_fail(err, code, 0, "%s: %s answered %d%.300s", what, r->host, r->status, quote);
}

static bool unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool net_escape(struct bh_buf *out, struct bh_slice text, bool with_slashes)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (unreserved(c) || (c == '/' && with_slashes))
			bh_buf_add_byte(out, c);
		else
			bh_buf_printf(out, "%%%02X", c);
	}
	return !out->failed;
}
