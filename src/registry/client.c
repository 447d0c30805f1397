/* client.c: see client.h. */
#include "registry/client.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "format/json.h"
#include "registry/secrets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define TOKEN_ANSWER_BYTES_MAX (256u << 10)
#define AUTHORIZATION_BYTES_MAX (32u << 10)
#define CERTIFICATES_MAX 16u
#define PATH_BYTES 1024u

struct registry_client {
	struct registry_endpoint endpoint;
	const struct registry_options *options;
	struct net_session *session;
	struct registry_secret secret;
	bool searched;               /* for the secret */
	struct bh_buf authorization; /* value of the header, with its NUL; empty: none so far */
	char base[REGISTRY_HOST_BYTES + 16]; /* "https://host" once that is known */
	char ca[CERTIFICATES_MAX][PATH_BYTES], certificate[PATH_BYTES], key[PATH_BYTES];
	const char *ca_files[2 * CERTIFICATES_MAX];
	size_t n_ca;
};

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	bh_warn("%s", text);
}

/* ---- certificates: certs.d/HOST[:PORT]/ as docker and podman have it ---- */

static void read_certificates(struct registry_client *c, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	while (dir && (e = readdir(dir))) {
		struct bh_slice name = bh_slice_str(e->d_name);
		if (bh_slice_ends(name, BH_SLICE_LIT(".crt")) && c->n_ca < CERTIFICATES_MAX) {
			snprintf(c->ca[c->n_ca], PATH_BYTES, "%s/%s", folder, e->d_name);
			c->ca_files[c->n_ca] = c->ca[c->n_ca];
			c->n_ca++;
		} else if (bh_slice_ends(name, BH_SLICE_LIT(".cert")) && !c->certificate[0]) {
			snprintf(c->certificate, PATH_BYTES, "%s/%s", folder, e->d_name);
			snprintf(c->key, PATH_BYTES, "%s/%.*s.key", folder, BH_SLICE_FMT(bh_slice_sub(name, 0, name.len - 5)));
		}
	}
	if (dir)
		closedir(dir);
}

static void find_certificates(struct registry_client *c)
{
	char folder[PATH_BYTES];
	const char *home = getenv("HOME"), *host = c->endpoint.host;
	static const char *const places[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };
	if (home && snprintf(folder, sizeof(folder), "%s/.config/containers/certs.d/%s", home, host) < (int)sizeof(folder))
		read_certificates(c, folder);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(folder, sizeof(folder), "%s/%s", places[i], host) < (int)sizeof(folder))
			read_certificates(c, folder);
	}
	for (size_t i = 0; i < c->options->n_ca_files && c->n_ca < sizeof(c->ca_files) / sizeof(c->ca_files[0]); i++)
		c->ca_files[c->n_ca++] = c->options->ca_files[i];
}

static int open_session(struct registry_client *c, bool impatient, struct net_session **ret, struct bh_err *err)
{
	const struct net_options o = {
		.insecure = c->options->insecure || c->endpoint.insecure,
		.ca_files = c->ca_files,
		.n_ca_files = c->n_ca,
		.client_certificate = c->certificate[0] ? c->certificate : NULL,
		.client_key = c->certificate[0] ? c->key : NULL,
		.tries = impatient ? 1 : 0,
		.notice = c->options->quiet ? NULL : notice,
	};
	return net_session_new(&o, ret, err);
}

int registry_client_new(const struct registry_endpoint *endpoint, const struct registry_options *options, struct registry_client **ret,
			struct bh_err *err)
{
	struct registry_client *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->endpoint = *endpoint;
	c->options = options;
	registry_secret_init(&c->secret);
	bh_buf_init(&c->authorization, AUTHORIZATION_BYTES_MAX);
	find_certificates(c);
	int rc = open_session(c, false, &c->session, err);
	if (rc < 0)
		registry_client_free(c);
	else
		*ret = c;
	return rc;
}

void registry_client_free(struct registry_client *c)
{
	if (!c)
		return;
	net_session_free(c->session);
	registry_secret_done(&c->secret);
	bh_buf_done(&c->authorization);
	free(c);
}

int registry_client_renew(struct registry_client *c, struct bh_err *err)
{
	return open_session(c, false, &c->session, err); /* the old one belongs to the process that made it, with its sockets */
}

const struct registry_endpoint *registry_client_endpoint(const struct registry_client *c)
{
	return &c->endpoint;
}

/* ---- https, or http where that is allowed ---- */

/* Anything that answers on https is asked there; an insecure or local registry that does not gets plain http. */
static int find_base(struct registry_client *c, struct bh_err *err)
{
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	char url[sizeof(c->base) + 8];
	struct net_session *quick;
	struct bh_err why = { 0 };
	snprintf(c->base, sizeof(c->base), "https://%s", c->endpoint.host);
	if (!c->endpoint.insecure && !c->options->insecure)
		return 0;
	int rc = open_session(c, true, &quick, err);
	if (rc < 0)
		return rc;
	net_response_init(&resp);
	snprintf(url, sizeof(url), "%s/v2/", c->base);
	const struct net_request req = { .url = url, .max_bytes = TOKEN_ANSWER_BYTES_MAX };
	rc = net_fetch(quick, &req, &resp, &why);
	net_session_free(quick);
	if (rc == BH_ECANCELLED) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		snprintf(c->base, sizeof(c->base), "http://%s", c->endpoint.host);
	return 0;
}

/* ---- challenges ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* Takes one `name="value"` or `name=value` off the front. */
static bool take_parameter(struct bh_slice *s, struct bh_slice *name, struct bh_slice *value)
{
	while (s->len && is_blank(s->ptr[0]))
		*s = bh_slice_sub(*s, 1, s->len);
	size_t at = bh_slice_find(*s, '=');
	if (at == 0 || at == s->len)
		return false;
	*name = bh_slice_trim(bh_slice_sub(*s, 0, at));
	struct bh_slice rest = bh_slice_sub(*s, at + 1, s->len);
	size_t end = 0;
	if (rest.len && rest.ptr[0] == '"') {
		rest = bh_slice_sub(rest, 1, rest.len);
		end = bh_slice_find(rest, '"');
		if (end == rest.len)
			return false;
		*s = bh_slice_sub(rest, end + 1, rest.len);
	} else {
		while (end < rest.len && !is_blank(rest.ptr[end]))
			end++;
		*s = bh_slice_sub(rest, end, rest.len);
	}
	*value = bh_slice_sub(rest, 0, end);
	return true;
}

static bool same_word(struct bh_slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp((const char *)s.ptr, word, s.len) == 0;
}

bool registry_challenge(struct bh_slice header, const char *scheme, const char *parameter, struct bh_slice *ret)
{
	struct bh_slice word, rest, name, value;
	(void)bh_slice_cut(header, ' ', &word, &rest);
	if (!same_word(word, scheme))
		return false;
	if (!parameter)
		return true;
	while (take_parameter(&rest, &name, &value)) {
		if (same_word(name, parameter)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* ---- logging in ---- */

static int set_authorization(struct registry_client *c, const char *scheme, struct bh_slice value, struct bh_err *err)
{
	bh_buf_clear(&c->authorization);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] <= ' ' || value.ptr[i] >= 0x7f)
			return bh_fail(err, BH_EMALFORMED, 0, "%s: its token has characters that no token has", c->endpoint.host);
	bool ok = bh_buf_printf(&c->authorization, "%s ", scheme) && bh_buf_add(&c->authorization, value) && bh_buf_add_byte(&c->authorization, '\0');
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "%s: its token has more than %u bytes", c->endpoint.host, AUTHORIZATION_BYTES_MAX);
}

static int find_secret(struct registry_client *c, struct bh_err *err)
{
	if (c->searched)
		return 0;
	c->searched = true;
	return registry_secret_find(c->endpoint.host, c->endpoint.path, &c->secret, err);
}

static bool add_basic(const struct registry_client *c, struct bh_buf *out)
{
	struct bh_buf pair;
	bh_buf_init(&pair, 2 * REGISTRY_SECRET_BYTES);
	bh_buf_add(&pair, bh_buf_slice(&c->secret.user));
	bh_buf_add_byte(&pair, ':');
	bool ok = bh_buf_add(&pair, bh_buf_slice(&c->secret.password)) && bh_base64(out, bh_buf_slice(&pair));
	bh_buf_wipe(&pair);
	return ok;
}

static int log_in_basic(struct registry_client *c, struct bh_err *err)
{
	if (c->secret.user.len == 0)
		return bh_fail(err, BH_EIO, 0, "%s wants a password and none is stored; log in first: docker login %s, or podman login %s", c->endpoint.host,
			       c->endpoint.host, c->endpoint.host);
	BH_WITH(bh_buf_done) struct bh_buf value = { 0 };
	bh_buf_init(&value, AUTHORIZATION_BYTES_MAX);
	if (!add_basic(c, &value))
		return bh_fail(err, BH_ELIMIT, 0, "the credentials are too long");
	return set_authorization(c, "Basic", bh_buf_slice(&value), err);
}

static int take_token(struct registry_client *c, struct bh_slice answer, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = bh_json_parse(answer, TOKEN_ANSWER_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "%s: the answer of its token server", c->endpoint.host);
	struct bh_slice token = bh_json_str(bh_json_get(bh_json_root(doc), "token"));
	if (token.len == 0)
		token = bh_json_str(bh_json_get(bh_json_root(doc), "access_token"));
	if (token.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "%s: its token server answered without a token", c->endpoint.host);
	return set_authorization(c, "Bearer", token, err);
}

static int keep_answer(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_buf_add(ctx, bytes) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

struct challenge {
	struct bh_slice realm, service, scope;
};

static bool add_pair(struct bh_buf *out, const char *before, struct bh_slice value)
{
	return bh_buf_add_str(out, before) && net_escape(out, value, false);
}

/* "realm?service=...&scope=...", or for an identity token the body of a POST to the realm. */
static int ask_for_token(struct registry_client *c, const struct challenge *ch, struct bh_buf *answer, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf url = { 0 }, body = { 0 }, basic = { 0 };
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	bh_buf_init(&url, NET_URL_BYTES);
	bh_buf_init(&body, AUTHORIZATION_BYTES_MAX);
	bh_buf_init(&basic, AUTHORIZATION_BYTES_MAX);
	net_response_init(&resp);
	bool refresh = c->secret.identity_token.len > 0;
	struct bh_buf *query = refresh ? &body : &url;
	bh_buf_add(&url, ch->realm);
	if (!refresh)
		bh_buf_add_str(&url, bh_slice_find(ch->realm, '?') < ch->realm.len ? "&" : "?");
	add_pair(query, refresh ? "grant_type=refresh_token&client_id=bulkhead&service=" : "service=", ch->service);
	add_pair(query, "&scope=", ch->scope);
	if (refresh)
		add_pair(&body, "&refresh_token=", bh_buf_slice(&c->secret.identity_token));
	else if (c->secret.user.len)
		add_pair(&url, "&account=", bh_buf_slice(&c->secret.user));
	bh_buf_add_byte(&url, '\0');
	bool ok = !url.failed && !body.failed;
	if (ok && !refresh && c->secret.user.len)
		ok = bh_buf_add_str(&basic, "Basic ") && add_basic(c, &basic) && bh_buf_add_byte(&basic, '\0');
	if (!ok)
		return bh_fail(err, BH_ELIMIT, 0, "%s: its challenge or the credentials are too long", c->endpoint.host);
	const char *form = "Content-Type: application/x-www-form-urlencoded";
	const struct net_request req = {
		.url = (const char *)url.ptr, .method = refresh ? "POST" : NULL, .body = bh_buf_slice(&body), .headers = &form, .n_headers = refresh,
		.authorization = basic.len ? (const char *)basic.ptr : NULL, .max_bytes = TOKEN_ANSWER_BYTES_MAX, .sink = keep_answer, .ctx = answer,
	};
	int rc = net_fetch(c->session, &req, &resp, err);
	if (rc == 0 && !net_succeeded(&resp))
		rc = net_refused(&resp, "asking for a token", err);
	return rc;
}

static int log_in_bearer(struct registry_client *c, struct bh_slice header, struct bh_err *err)
{
	struct challenge ch = { 0 };
	char scope[3 * REGISTRY_PATH_BYTES];
	bool has_realm = registry_challenge(header, "Bearer", "realm", &ch.realm);
	(void)registry_challenge(header, "Bearer", "service", &ch.service);
	snprintf(scope, sizeof(scope), "repository:%s:pull", c->endpoint.path); /* what the registry asks for could be more than reading */
	ch.scope = bh_slice_str(scope);
	bool secure = bh_slice_starts(ch.realm, BH_SLICE_LIT("https://"));
	bool plain = bh_slice_starts(ch.realm, BH_SLICE_LIT("http://"));
	if (!has_realm || !(secure || plain))
		return bh_fail(err, BH_EMALFORMED, 0, "%s: its challenge names no token server", c->endpoint.host);
	if (plain && strncmp(c->base, "https:", 6) == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "%s: it sends credentials to a token server without TLS; refused", c->endpoint.host);
	BH_WITH(bh_buf_wipe) struct bh_buf answer = { 0 };
	bh_buf_init(&answer, TOKEN_ANSWER_BYTES_MAX);
	int rc = ask_for_token(c, &ch, &answer, err);
	rc = rc < 0 ? rc : take_token(c, bh_buf_slice(&answer), err);
	return rc;
}

/* Bearer before Basic when both are offered: a token is worth less to a thief. */
static int log_in(struct registry_client *c, const struct net_response *resp, struct bh_err *err)
{
	int rc = find_secret(c, err);
	if (rc < 0)
		return rc;
	struct bh_slice header, ignored, basic = { 0 };
	for (size_t n = 0; (header = net_header(resp, "WWW-Authenticate", n)).len; n++) {
		if (registry_challenge(header, "Bearer", NULL, &ignored))
			return log_in_bearer(c, header, err);
		if (registry_challenge(header, "Basic", NULL, &ignored))
			basic = header;
	}
	return basic.len ? log_in_basic(c, err) : bh_fail(err, BH_EIO, 0, "%s refuses access (401) and does not say how to log in", c->endpoint.host);
}

/* ---- requests ---- */

static int get_once(struct registry_client *c, const char *what, const struct net_request *like, struct net_response *resp, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf url = { 0 };
	bh_buf_init(&url, NET_URL_BYTES);
	bh_buf_printf(&url, "%s/v2/", c->base);
	net_escape(&url, bh_slice_str(c->endpoint.path), true);
	bh_buf_printf(&url, "/%s", what);
	if (!bh_buf_add_byte(&url, '\0'))
		return bh_fail(err, BH_ELIMIT, 0, "the URL of %s is too long", what);
	struct net_request req = *like;
	req.url = (const char *)url.ptr;
	req.authorization = c->authorization.len ? (const char *)c->authorization.ptr : NULL;
	return net_fetch(c->session, &req, resp, err);
}

/* The registry's own words, from {"errors":[{"code","message"}]}. */
static int refused(const struct net_response *resp, const char *what, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	BH_WITH(bh_buf_done) struct bh_buf words = { 0 };
	struct bh_err ignored = { 0 };
	int rc = net_refused(resp, what, err);
	if (bh_json_parse(bh_buf_slice(&resp->problem), TOKEN_ANSWER_BYTES_MAX, &doc, &ignored) < 0)
		return rc;
	const struct bh_json_node *first = bh_json_at(bh_json_get(bh_json_root(doc), "errors"), 0);
	struct bh_slice message = bh_json_str(bh_json_get(first, "message"));
	bh_buf_init(&words, 1200);
	if (message.len && bh_buf_add_escaped(&words, bh_slice_sub(message, 0, 150))) {
		char text[BH_ERR_TEXT_BYTES];
		snprintf(text, sizeof(text), "%s: %.*s", err->text, BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&words), 0, 200)));
		return bh_fail(err, err->code, 0, "%s", text);
	}
	return rc;
}

int registry_client_get(struct registry_client *c, const char *what, const struct net_request *like, struct net_response *resp, struct bh_err *err)
{
	int rc = c->base[0] ? 0 : find_base(c, err);
	rc = rc < 0 ? rc : get_once(c, what, like, resp, err);
	if (rc == 0 && resp->status == 401) {
		rc = log_in(c, resp, err);
		rc = rc < 0 ? rc : get_once(c, what, like, resp, err);
		if (rc == 0 && resp->status == 401)
			return bh_fail(err, BH_EIO, 0, "%s refuses access%s (401 after logging in)", c->endpoint.host,
				       c->secret.user.len || c->secret.identity_token.len ? " with the stored credentials" : "; nothing is stored to log in with");
	}
	return rc < 0 || net_succeeded(resp) ? rc : refused(resp, what, err);
}
