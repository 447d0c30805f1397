/* urls.c: addresses where a licence is meant. */
#include "license/license.h"

#include "license/urls.h"

#define URL_BYTES_MAX 200u

static const struct {
	const char *address, *expression;
} urls[] = {
#define URL(address, expression) { address, expression },
#include "license/urls.def"
#undef URL
};

static bool skip(struct bh_slice *s, const char *start)
{
	struct bh_slice b = bh_slice_str(start);
	if (!bh_slice_starts(*s, b))
		return false;
	*s = bh_slice_sub(*s, b.len, s->len);
	return true;
}

static void cut_end(struct bh_slice *s)
{
	static const char *const ends[] = { "/", ".txt", ".html", ".htm", ".php", ".md" };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bh_slice_ends(*s, bh_slice_str(ends[i])))
			s->len -= strlen(ends[i]);
}

bool license_is_url(struct bh_slice text)
{
	return skip(&text, "http://") || skip(&text, "https://");
}

struct bh_slice license_of_url(struct bh_slice url)
{
	char small[URL_BYTES_MAX];
	if (url.len > sizeof(small))
		return (struct bh_slice){ 0 };
	for (size_t i = 0; i < url.len; i++)
		small[i] = (char)bh_lower(url.ptr[i]);
	struct bh_slice s = { (const uint8_t *)small, url.len };
	(void)(skip(&s, "http://") || skip(&s, "https://"));
	(void)skip(&s, "www.");
	cut_end(&s);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (bh_slice_eq_str(s, urls[i].address))
			return bh_slice_str(urls[i].expression);
	if (skip(&s, "opensource.org/licenses/") || skip(&s, "opensource.org/license/") || skip(&s, "spdx.org/licenses/"))
		return license_id(s, NULL);
	return (struct bh_slice){ 0 };
}
