/*
 * fuzz_registry.c: what the helper process reads of registries and users: image names, challenges, header lines, registries.conf, base64;
 * and what children tell of a container's changes. The first byte says which.
 */
#include "image/changes.h"
#include "net/http.h"
#include "base/base64.h"
#include "registry/client.h"
#include "registry/endpoints.h"

#include <stdlib.h>

#define TEXT_BYTES 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name that is accepted means the same when it is written out. */
static void try_reference(const char *text)
{
	struct registry_ref ref, again;
	struct bh_err err = { 0 };
	char full[REGISTRY_REF_BYTES], twice[REGISTRY_REF_BYTES];
	if (registry_ref_parse(text, &ref, &err) < 0) {
		if (err.code != BH_EUSAGE || !err.text[0])
			abort();
		return;
	}
	if (registry_ref_parse(registry_ref_text(&ref, full), &again, &err) < 0 || strcmp(full, registry_ref_text(&again, twice)) != 0)
		abort();
}

static void try_challenge(struct bh_slice in)
{
	static const char *const parameters[] = { "realm", "service", "scope" };
	struct bh_slice value = { 0 };
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (registry_challenge(in, "Bearer", parameters[i], &value) && value.len && (value.ptr < in.ptr || value.ptr + value.len > in.ptr + in.len))
			abort();
	}
}

static void try_headers(struct bh_slice in)
{
	struct net_response r;
	struct bh_err err = { 0 };
	net_response_init(&r);
	(void)bh_buf_add(&r.headers, in);
	(void)bh_buf_add(&r.problem, in);
	for (size_t n = 0; net_header(&r, "WWW-Authenticate", n).len && n < 100; n++)
		;
	if (net_refused(&r, "x", &err) >= 0)
		abort();
	net_response_done(&r);
}

static void try_endpoints(struct bh_slice in)
{
	struct registry_ref ref;
	struct registry_endpoints found = { 0 };
	struct bh_err err = { 0 };
	if (registry_ref_parse("example.com/foo/image", &ref, &err) < 0)
		abort();
	if (registry_endpoints_read(in, &ref, &found, &err) < 0 && !err.text[0])
		abort();
	for (size_t i = 0; i < found.n; i++)
		if (!found.list[i].host[0])
			abort();
}

static void try_base64(struct bh_slice in)
{
	struct bh_buf text, back;
	bh_buf_init(&text, 2 * TEXT_BYTES);
	bh_buf_init(&back, 2 * TEXT_BYTES);
	if (!bh_base64(&text, in) || !bh_unbase64(&back, bh_buf_slice(&text)) || !bh_slice_eq(bh_buf_slice(&back), in))
		abort();
	bh_buf_clear(&back);
	(void)bh_unbase64(&back, in);
	bh_buf_done(&text);
	bh_buf_done(&back);
}

static void try_changes(struct bh_slice in)
{
	struct image_changes c;
	struct bh_err err = { 0 };
	image_changes_init(&c);
	if (image_changes_take(&c, in, &err) == 0 && image_changes_see(&c, bh_slice_sub(in, 1, in.len), &err) == 0 && c.list.len > 1)
		abort();
	image_changes_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_BYTES + 1];
	if (size < 2 || size > TEXT_BYTES)
		return 0;
	struct bh_slice in = { data + 1, size - 1 };
	memcpy(text, in.ptr, in.len);
	text[in.len] = '\0';
	switch (data[0]) {
	case 'r': try_reference(text); break;
	case 'c': try_challenge(in); break;
	case 'h': try_headers(in); break;
	case 'e': try_endpoints(in); break;
	case 'b': try_base64(in); break;
	case 'k': try_changes(in); break;
	default: break;
	}
	return 0;
}
