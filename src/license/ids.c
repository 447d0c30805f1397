/* ids.c: the lists of SPDX, by binary search without case. */
#include "license/license.h"

#include <stdlib.h>
#include <strings.h>

struct entry {
	const char *id;
	bool deprecated;
};

static const struct entry ids[] = {
#define LICENSE_ID(id) { id, false },
#define DEPRECATED_ID(id) { id, true },
#include "license/ids.def"
#undef LICENSE_ID
#undef DEPRECATED_ID
};

static const struct entry exceptions[] = {
#define EXCEPTION_ID(id) { id, false },
#include "license/exceptions.def"
#undef EXCEPTION_ID
};

static int compare(const void *key, const void *entry)
{
	const struct bh_slice *s = key;
	const char *id = ((const struct entry *)entry)->id;
	size_t len = strlen(id);
	int c = strncasecmp((const char *)s->ptr, id, s->len < len ? s->len : len);
	return c ? c : (s->len > len) - (s->len < len);
}

static const struct entry *find(const struct entry *list, size_t n, struct bh_slice text)
{
	return text.len ? bsearch(&text, list, n, sizeof(list[0]), compare) : NULL;
}

struct bh_slice license_id(struct bh_slice text, bool *deprecated)
{
	const struct entry *e = find(ids, sizeof(ids) / sizeof(ids[0]), text);
	if (e && deprecated)
		*deprecated = e->deprecated;
	return bh_slice_str(e ? e->id : NULL);
}

struct bh_slice license_exception_id(struct bh_slice text)
{
	const struct entry *e = find(exceptions, sizeof(exceptions) / sizeof(exceptions[0]), text);
	return bh_slice_str(e ? e->id : NULL);
}
