/* secrets.c: see secrets.h. */
#include "registry/secrets.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "format/json.h"
#include "sys/files.h"
#include "sys/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)
#define ANSWER_BYTES_MAX (64u << 10) /* of a credential helper */
#define HUB_KEY "https://index.docker.io/v1/"
#define HUB_HOST "registry-1.docker.io"

void registry_secret_init(struct registry_secret *s)
{
	bh_buf_init(&s->user, REGISTRY_SECRET_BYTES);
	bh_buf_init(&s->password, REGISTRY_SECRET_BYTES);
	bh_buf_init(&s->identity_token, REGISTRY_SECRET_BYTES);
}

void registry_secret_done(struct registry_secret *s)
{
	bh_buf_wipe(&s->user);
	bh_buf_wipe(&s->password);
	bh_buf_wipe(&s->identity_token);
}

static int too_long(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "credentials of more than %u bytes", REGISTRY_SECRET_BYTES);
}

/* ---- credential helpers ---- */

static bool is_helper_name(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '/' || s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return false;
	return s.len > 0 && s.len < 100;
}

static int take_helper_answer(const struct bh_json_node *root, struct registry_secret *ret, struct bh_err *err)
{
	struct bh_slice user = bh_json_str(bh_json_get(root, "Username")), password = bh_json_str(bh_json_get(root, "Secret"));
	bool token = bh_slice_eq_str(user, "<token>"); /* docker's word for "the secret is an identity token" */
	bool ok = token ? bh_buf_add(&ret->identity_token, password) : bh_buf_add(&ret->user, user) && bh_buf_add(&ret->password, password);
	return ok ? 1 : too_long(err);
}

/* 1: found; 0: the helper knows none. */
static int ask_helper(struct bh_slice name, const char *key, struct registry_secret *ret, struct bh_err *err)
{
	char program[160];
	BH_WITH(bh_buf_wipe) struct bh_buf answer = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	if (!is_helper_name(name))
		return bh_fail(err, BH_EMALFORMED, 0, "a credential helper's name has odd characters");
	snprintf(program, sizeof(program), "docker-credential-%.*s", BH_SLICE_FMT(name));
	bh_buf_init(&answer, ANSWER_BYTES_MAX);
	const char *argv[] = { program, "get", NULL };
	const struct bh_program p = { .argv = argv, .input = bh_slice_str(key), .out = &answer };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0, rc = bh_program_run(&p, &code, complaint, err);
	if (rc < 0)
		return rc;
	struct bh_slice text = bh_slice_trim(bh_buf_slice(&answer));
	if (code == BH_PROGRAM_MISSING)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not installed, though the configuration names it", program);
	if (code != 0 && bh_slice_starts(text, BH_SLICE_LIT("credentials not found")))
		return 0;
	if (code != 0)
		return bh_fail(err, BH_EIO, 0, "%s ended with code %d: %s", program, code, complaint);
	rc = bh_json_parse(text, ANSWER_BYTES_MAX, &doc, err);
	rc = rc < 0 ? bh_wrap(err, "%s", program) : take_helper_answer(bh_json_root(doc), ret, err);
	return rc;
}

/* ---- files ---- */

/* An entry of "auths". 1: it holds something. */
static int take_entry(const struct bh_json_node *entry, struct registry_secret *ret, struct bh_err *err)
{
	struct bh_slice auth = bh_json_str(bh_json_get(entry, "auth")), token = bh_json_str(bh_json_get(entry, "identitytoken"));
	struct bh_slice user = bh_json_str(bh_json_get(entry, "username")), password = bh_json_str(bh_json_get(entry, "password"));
	if (token.len)
		return bh_buf_add(&ret->identity_token, token) ? 1 : too_long(err);
	struct bh_buf pair;
	bh_buf_init(&pair, REGISTRY_SECRET_BYTES);
	int rc = 0;
	if (auth.len && !bh_unbase64(&pair, auth))
		rc = bh_fail(err, BH_EMALFORMED, 0, "an \"auth\" is not base64");
	if (auth.len && rc == 0 && !bh_slice_cut(bh_buf_slice(&pair), ':', &user, &password))
		rc = bh_fail(err, BH_EMALFORMED, 0, "an \"auth\" is not USER:PASSWORD");
	if (rc == 0 && user.len)
		rc = bh_buf_add(&ret->user, user) && bh_buf_add(&ret->password, password) ? 1 : too_long(err);
	bh_buf_wipe(&pair);
	return rc;
}

/* Docker Hub has gone by several names; others may be written as URLs. */
static const struct bh_json_node *find_by(const struct bh_json_node *object, const char *key)
{
	char url[600];
	static const char *const hub[] = { HUB_KEY, "docker.io", "index.docker.io", HUB_HOST, "https://docker.io" };
	const struct bh_json_node *found = NULL;
	for (size_t i = 0; strcmp(key, HUB_HOST) == 0 && !found && i < sizeof(hub) / sizeof(hub[0]); i++)
		found = bh_json_get(object, hub[i]);
	static const struct {
		const char *before, *behind;
	} shapes[] = { { "", "" }, { "https://", "" }, { "https://", "/" }, { "http://", "" }, { "https://", "/v1/" }, { "https://", "/v2/" } };
	for (size_t i = 0; !found && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		snprintf(url, sizeof(url), "%s%s%s", shapes[i].before, key, shapes[i].behind);
		found = bh_json_get(object, url);
	}
	return found;
}

/* podman's files may name a path: the longest that fits, then the host. */
static const struct bh_json_node *find_entry(const struct bh_json_node *auths, const char *host, const char *path)
{
	char key[800];
	struct bh_slice p = bh_slice_str(path);
	while (p.len) {
		const char *shown = strcmp(host, HUB_HOST) == 0 ? "docker.io" : host;
		snprintf(key, sizeof(key), "%s/%.*s", shown, BH_SLICE_FMT(p));
		const struct bh_json_node *found = bh_json_get(auths, key);
		if (found)
			return found;
		while (p.len && p.ptr[p.len - 1] != '/')
			p.len--;
		p.len -= p.len ? 1 : 0;
	}
	return find_by(auths, host);
}

static int search_document(const struct bh_json_node *root, const char *host, const char *path, struct registry_secret *ret, struct bh_err *err)
{
	const char *key = strcmp(host, HUB_HOST) == 0 ? HUB_KEY : host;
	struct bh_slice helper = bh_json_str(find_by(bh_json_get(root, "credHelpers"), host)), store = bh_json_str(bh_json_get(root, "credsStore"));
	int rc = helper.len ? ask_helper(helper, key, ret, err) : 0;
	const struct bh_json_node *entry = rc == 0 ? find_entry(bh_json_get(root, "auths"), host, path) : NULL;
	rc = entry ? take_entry(entry, ret, err) : rc;
	return rc == 0 && store.len && !helper.len ? ask_helper(store, key, ret, err) : rc;
}

static int search_file(const char *file, const char *host, const char *path, struct registry_secret *ret, struct bh_err *err)
{
	struct bh_buf text;
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	if (access(file, F_OK) < 0)
		return 0;
	bh_buf_init(&text, FILE_BYTES_MAX);
	int rc = bh_read_file(file, FILE_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(bh_buf_slice(&text), FILE_BYTES_MAX, &doc, err);
	rc = rc < 0 ? rc : search_document(bh_json_root(doc), host, path, ret, err);
	bh_buf_wipe(&text);
	return rc < 0 ? bh_wrap(err, "%.200s", file) : rc;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

int registry_secret_find(const char *host, const char *path, struct registry_secret *ret, struct bh_err *err)
{
	const char *home = setting("HOME"), *xdg = setting("XDG_CONFIG_HOME"), *runtime = setting("XDG_RUNTIME_DIR");
	const struct {
		const char *folder, *rest;
	} places[] = {
		{ setting("REGISTRY_AUTH_FILE"), "" }, { setting("DOCKER_CONFIG"), "/config.json" }, { runtime, "/containers/auth.json" },
		{ xdg ? xdg : home, xdg ? "/containers/auth.json" : "/.config/containers/auth.json" }, { home, "/.docker/config.json" },
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		char file[4096];
		if (places[i].folder && snprintf(file, sizeof(file), "%s%s", places[i].folder, places[i].rest) < (int)sizeof(file))
			rc = search_file(file, host, path, ret, err);
	}
	return rc < 0 ? rc : 0;
}
