/* pull.c: see pull.h. */
#include "registry/pull.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "sys/files.h"

#include <inttypes.h>
#include <stdio.h>

/* One header line each: some proxies keep only the last of several, none splits one of several. */
static const char *const accept[] = {
	"Accept: application/vnd.oci.image.index.v1+json",
	"Accept: application/vnd.oci.image.manifest.v1+json",
	"Accept: application/vnd.docker.distribution.manifest.list.v2+json",
	"Accept: application/vnd.docker.distribution.manifest.v2+json",
};
#define N_ACCEPT (sizeof(accept) / sizeof(accept[0]))

void registry_pull_init(struct registry_pull *p, const struct registry_ref *ref, const struct registry_options *options)
{
	*p = (struct registry_pull){ .ref = *ref, .options = options };
	bh_buf_init(&p->top, BH_MANIFEST_BYTES_MAX);
}

static int keep(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_buf_add(ctx, bytes) ? 0 : bh_fail(err, BH_ELIMIT, 0, "a document of more than %u bytes", BH_MANIFEST_BYTES_MAX);
}

static int forget(void *ctx, struct bh_err *err)
{
	(void)err;
	bh_buf_clear(ctx);
	return 0;
}

static int client_of(struct registry_pull *p, size_t i, struct registry_client **ret, struct bh_err *err)
{
	int rc = p->clients[i] ? 0 : registry_client_new(&p->endpoints.list[i], p->options, &p->clients[i], err);
	if (rc == 0)
		*ret = p->clients[i];
	return rc;
}

/* A document from one endpoint, into out (emptied first). */
static int get_from(struct registry_pull *p, size_t i, const char *what, bool manifest, struct bh_buf *out, struct net_response *resp,
		    struct bh_err *err)
{
	struct registry_client *c = NULL;
	bh_buf_clear(out);
	const struct net_request like = {
		.headers = accept, .n_headers = manifest ? N_ACCEPT : 0, .max_bytes = out->max_bytes, .sink = keep, .restart = forget, .ctx = out,
	};
	int rc = client_of(p, i, &c, err);
	return rc < 0 ? rc : registry_client_get(c, what, &like, resp, err);
}

/* Mirrors may lack it or be down; the registry itself, last in the list, has the last word. */
static int get_anywhere(struct registry_pull *p, const char *what, bool manifest, struct bh_buf *out, struct net_response *resp, size_t *ret_i,
			struct bh_err *err)
{
	int rc = bh_fail(err, BH_ENOTFOUND, 0, "no registry to ask");
	for (size_t n = 0; n < p->endpoints.n; n++) {
		size_t i = (p->best + n) % p->endpoints.n;
		rc = get_from(p, i, what, manifest, out, resp, err);
		if (rc == 0)
			*ret_i = i;
		if (rc == 0 || rc == BH_ECANCELLED)
			return rc;
	}
	return rc;
}

/* ---- what the reference names ---- */

static int take_media_type(struct registry_pull *p, const struct net_response *resp, struct bh_err *err)
{
	struct bh_slice type = net_header(resp, "Content-Type", 0);
	type = bh_slice_trim(bh_slice_sub(type, 0, bh_slice_find(type, ';')));
	if (bh_slice_starts(type, BH_SLICE_LIT("text/html")))
		return bh_fail(err, BH_EMALFORMED, 0, "%s answered with a web page where a manifest should be: is it a registry?", resp->host);
	if (bh_slice_starts(type, BH_SLICE_LIT("application/vnd.docker.distribution.manifest.v1+")))
		return bh_fail(err, BH_EUNSUPPORTED, 0,
			       "%s has this image as a Docker schema 1 manifest only, obsolete since 2017: push the image again with a current client", resp->host);
	snprintf(p->media_type, sizeof(p->media_type), "%.*s", BH_SLICE_FMT(bh_slice_sub(type, 0, sizeof(p->media_type) - 1)));
	return 0;
}

static int check_top(struct registry_pull *p, struct bh_err *err)
{
	struct bh_digest wanted = { .kind = BH_DIGEST_SHA256 };
	char have[BH_DIGEST_TEXT_BYTES];
	if (p->ref.digest[0])
		(void)bh_digest_parse(bh_slice_str(p->ref.digest), &wanted);
	int rc = bh_digest_of(wanted.kind, bh_buf_slice(&p->top), &p->digest, err);
	if (rc < 0 || !p->ref.digest[0] || bh_digest_eq(&wanted, &p->digest))
		return rc;
	return bh_fail(err, BH_EMISMATCH, 0, "the registry gave a manifest whose digest is %s, but %s was asked for", bh_digest_text(&p->digest, have),
		       p->ref.digest);
}

static int start(void *ctx, struct bh_buf *name, struct bh_err *err)
{
	struct registry_pull *p = ctx;
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	char what[32 + REGISTRY_TAG_BYTES + BH_DIGEST_TEXT_BYTES], text[REGISTRY_REF_BYTES];
	net_response_init(&resp);
	int rc = registry_endpoints_find(&p->ref, p->options, &p->endpoints, err);
	snprintf(what, sizeof(what), "manifests/%s", p->ref.digest[0] ? p->ref.digest : p->ref.tag);
	rc = rc < 0 ? rc : get_anywhere(p, what, true, &p->top, &resp, &p->best, err);
	rc = rc < 0 ? rc : take_media_type(p, &resp, err);
	rc = rc < 0 ? rc : check_top(p, err);
	if (rc == 0 && !bh_buf_add_str(name, registry_ref_text(&p->ref, text)))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc;
}

static int make_index(const struct registry_pull *p, struct bh_buf *out, struct bh_err *err)
{
	char digest[BH_DIGEST_TEXT_BYTES], text[REGISTRY_REF_BYTES];
	bh_buf_add_str(out, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":");
	bh_buf_add_json(out, bh_slice_str(p->media_type));
	bh_buf_printf(out, ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":", bh_digest_text(&p->digest, digest),
		      p->top.len);
	bh_buf_add_json(out, bh_slice_str(registry_ref_text(&p->ref, text)));
	return bh_buf_add_str(out, "}}]}") ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- everything else goes by digest ---- */

/* "manifests/sha256/HEX" -> "sha256:HEX". */
static int digest_in(const char *name, struct bh_digest *ret, struct bh_err *err)
{
	struct bh_slice kind, rest, algorithm, hex;
	char text[BH_DIGEST_TEXT_BYTES];
	(void)bh_slice_cut(bh_slice_str(name), '/', &kind, &rest);
	(void)bh_slice_cut(rest, '/', &algorithm, &hex);
	int n = snprintf(text, sizeof(text), "%.*s:%.*s", BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
	bool ok = n < (int)sizeof(text) && bh_digest_parse(bh_slice_str(text), ret);
	return ok ? 0 : bh_fail(err, BH_EUSAGE, 0, "a child asked for \"%.100s\"", name);
}

static bool begins(const char *name, const char *word)
{
	return strncmp(name, word, strlen(word)) == 0;
}

static bool streams(void *ctx, const char *name)
{
	(void)ctx;
	return begins(name, "blobs/");
}

/*
 * What names the subject as such: the referrers API, or, where a registry has none (404), the index under the tag ALG-HEX; when there
 * is neither, nothing is attached.
 */
static int referrers(struct registry_pull *p, const char *name, struct bh_buf *out, struct bh_err *err)
{
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	struct bh_digest digest = p->digest;
	char what[64 + BH_DIGEST_TEXT_BYTES], text[BH_DIGEST_TEXT_BYTES];
	size_t i;
	net_response_init(&resp);
	int rc = strcmp(name, "referrers") == 0 ? 0 : digest_in(name, &digest, err);
	if (rc < 0)
		return rc;
	snprintf(what, sizeof(what), "referrers/%s", bh_digest_text(&digest, text));
	rc = get_anywhere(p, what, true, out, &resp, &i, err);
	if (rc != BH_ENOTFOUND)
		return rc;
	*strchr(text, ':') = '-';
	snprintf(what, sizeof(what), "manifests/%s", text);
	rc = get_anywhere(p, what, true, out, &resp, &i, err);
	if (rc != BH_ENOTFOUND)
		return rc;
	bh_buf_clear(out);
	return keep(out, BH_SLICE_LIT("{\"schemaVersion\":2,\"manifests\":[]}"), err);
}

static int document(void *ctx, const char *name, struct bh_buf *out, struct bh_err *err)
{
	struct registry_pull *p = ctx;
	struct bh_digest digest;
	char what[32 + BH_DIGEST_TEXT_BYTES], text[BH_DIGEST_TEXT_BYTES];
	if (strcmp(name, "index.json") == 0)
		return make_index(p, out, err);
	if (begins(name, "referrers"))
		return referrers(p, name, out, err);
	bool manifest = begins(name, "manifests/");
	if (!manifest && !begins(name, "configs/"))
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not part of an image in a registry", name);
	int rc = digest_in(name, &digest, err);
	if (rc < 0)
		return rc;
	if (manifest && bh_digest_eq(&digest, &p->digest))
		return keep(out, bh_buf_slice(&p->top), err);
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	size_t i;
	net_response_init(&resp);
	snprintf(what, sizeof(what), "%s/%s", manifest ? "manifests" : "blobs", bh_digest_text(&digest, text));
	return get_anywhere(p, what, manifest, out, &resp, &i, err);
}

struct pouring {
	int fd;
	uint64_t done;
};

static int pour(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	struct pouring *to = ctx;
	int rc = bh_write_all(to->fd, bytes, err);
	to->done += rc < 0 ? 0 : bytes.len;
	return rc;
}

/* Where one endpoint fails for good, the next goes on at the same byte: the digest says that they have the same. */
static int stream(void *ctx, const char *name, uint64_t max_bytes, int out_fd, struct bh_err *err)
{
	struct registry_pull *p = ctx;
	struct bh_digest digest;
	struct pouring to = { .fd = out_fd };
	char what[32 + BH_DIGEST_TEXT_BYTES], text[BH_DIGEST_TEXT_BYTES];
	int rc = digest_in(name, &digest, err);
	if (rc < 0)
		return rc;
	snprintf(what, sizeof(what), "blobs/%s", bh_digest_text(&digest, text));
	for (size_t n = 0; n < p->endpoints.n; n++) {
		size_t i = (p->best + n) % p->endpoints.n;
		BH_WITH(net_response_done) struct net_response resp = { 0 };
		struct registry_client *c = NULL;
		net_response_init(&resp);
		const struct net_request like = { .immutable = true, .resume_at = to.done, .max_bytes = max_bytes, .sink = pour, .ctx = &to };
		rc = client_of(p, i, &c, err);
		rc = rc < 0 ? rc : registry_client_renew(c, err);
		rc = rc < 0 ? rc : registry_client_get(c, what, &like, &resp, err);
		if (rc == 0 || rc == BH_ECANCELLED || rc == BH_ELIMIT)
			break;
	}
	return rc;
}

struct broker_backend registry_pull_backend(struct registry_pull *p)
{
	return (struct broker_backend){ start, streams, document, stream, p };
}
