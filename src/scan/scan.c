/* scan.c: read, match, filter, judge. */
#include "scan/scan.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "crypto/mac.h"
#include "image/layercache.h"
#include "scan/archives.h"
#include "scan/attached.h"
#include "scan/drift.h"
#include "scan/inventory.h"
#include "scan/licenses.h"
#include "scan/malware.h"
#include "scan/modified.h"
#include "scan/secrets.h"
#include "scan/target.h"
#include "secret/gitleaks.h"
#include "secret/ignores.h"
#include "vuln/match.h"


#define SECONDS_PER_DAY 86400

/* Which target it was, unless the text says so already. */
static int name_target(const char *target, const char *path, struct bh_err *err)
{
	bool named = strstr(err->text, path) != NULL;
	return named ? err->code : bh_wrap(err, "%s", target);
}

/* Results of layers: in the folder that the user named, or in his own when that can be used. None is no failure then. */
static int open_cache(const struct scan_options *o, struct store_cache **ret, struct bh_err *err)
{
	*ret = NULL;
	BH_FREE char *own = o->cache_folder || o->max_cache_bytes == 0 ? NULL : store_cache_default_folder();
	const char *folder = o->cache_folder ? o->cache_folder : own;
	BH_FREE char *layers = NULL;
	if (o->max_cache_bytes == 0 || !folder)
		return BH_OK;
	if (asprintf(&layers, "%s/layers", folder) < 0)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	struct bh_err why = { 0 };
	int rc = store_cache_open(layers, o->max_cache_bytes, ret, &why);
	if (rc == BH_OK)
		return BH_OK;
	if (o->cache_folder) {
		*err = why;
		return rc;
	}
	bh_debug("no cache: %s", why.text);
	return BH_OK;
}

/* Whose comments are believed: those of files that lie here as they were written. An image can't excuse itself. */
static bool is_own_text(const struct image_request *req)
{
	return req->kind == IMAGE_DIR || req->kind == IMAGE_GIT;
}

/* The user's key, else one of the cache's own, which makes fingerprints comparable on this machine. False: there is none. */
static bool fingerprint_key(const struct scan_options *o, const struct image_request *req, uint8_t ret[SECRET_KEY_BYTES])
{
	struct bh_err ignored;
	struct bh_slice from = o->fingerprint_key;
	if (from.len == 0 && req->cache)
		from = (struct bh_slice){ store_cache_secret(req->cache), STORE_CACHE_SECRET_BYTES };
	return from.len && bh_mac(from, BH_SLICE_LIT("bulkhead: fingerprints of secrets"), ret, &ignored) == 0;
}

/* What the search for secrets needs as long as it lasts. */
struct secrets {
	struct gitleaks_rules rules;
	struct secret_ignores ignores;
	struct scan_secrets *scan; /* NULL: they are not searched for */
};

static void secrets_init(struct secrets *s)
{
	gitleaks_rules_init(&s->rules);
	secret_ignores_init(&s->ignores);
	s->scan = NULL;
}

static void secrets_done(struct secrets *s)
{
	scan_secrets_free(s->scan);
	gitleaks_rules_done(&s->rules);
	secret_ignores_done(&s->ignores);
}

static int take_secrets(const struct scan_options *o, const struct image_request *req, struct secrets *secrets, struct scan_contents *contents, struct bh_report *report,
			 struct bh_err *err)
{
	uint8_t key[SECRET_KEY_BYTES];
	if (!(o->scanners & SCAN_SECRETS))
		return 0;
	const struct scan_secrets_options how = {
		.rules = o->secret_rules ? &secrets->rules : NULL, .ignores = o->secret_ignores ? &secrets->ignores : NULL,
		.key = fingerprint_key(o, req, key) ? key : NULL, .comments = is_own_text(req),
	};
	int rc = o->secret_rules ? gitleaks_rules_read(&secrets->rules, o->secret_rules, err) : 0;
	rc = rc == 0 && o->secret_ignores ? secret_ignores_read(&secrets->ignores, o->secret_ignores, err) : rc;
	rc = rc < 0 ? rc : scan_secrets_new(&how, report, &secrets->scan, err);
	if (rc == 0) {
		const struct scan_content content = scan_secrets_content(secrets->scan);
		scan_contents_add(contents, &content);
	}
	return rc;
}

/* What the search for malware needs as long as it lasts; NULL: nobody asked. */
struct malware {
	struct scan_malware *scan;
	struct scan_modified *modified;
};

static void malware_done(struct malware *m)
{
	scan_malware_free(m->scan);
	scan_modified_free(m->modified);
}

static int take_malware(const struct scan_options *o, const struct image_request *req, struct scan_contents *contents, struct malware *malware, struct bh_report *report,
			struct bh_err *err)
{
	const struct scan_malware_options how = {
		.rules = o->malware_rules, .n_rules = o->n_malware_rules, .hashes = o->malware_hashes, .n_hashes = o->n_malware_hashes, .now_s = o->policy.now_s,
	};
	if (!(o->scanners & SCAN_MALWARE))
		return 0;
	int rc = scan_malware_new(&how, report, &malware->scan, err);
	rc = rc < 0 ? rc : scan_modified_new(req->key, report, &malware->modified, err);
	if (rc < 0)
		return rc;
	const struct scan_content contained[] = { scan_malware_content(malware->scan), scan_modified_content(malware->modified) };
	scan_contents_add(contents, &contained[0]);
	scan_contents_add(contents, &contained[1]);
	return 0;
}

static int finish_malware(struct malware *m, const struct inventory *inv, struct bh_err *err)
{
	int rc = m->scan ? scan_malware_finish(m->scan, inv, err) : 0;
	return rc == 0 && m->modified ? scan_modified_finish(m->modified, inv, err) : rc;
}

/* From the opened target to the packages in the report. */
static int take_inventory(const struct scan_options *o, const struct image_request *req, struct bh_report *report, struct bh_err *err)
{
	struct inventory *inv;
	int rc = inventory_new(report, req->key, o->owned_files, &inv, err);
	if (rc < 0)
		return rc;
	struct image_visitor packages = req->kind == IMAGE_SBOM ? inventory_sbom_visitor(inv) : inventory_visitor(inv);
	struct secrets secrets;
	struct malware malware = { 0 };
	struct scan_contents contents = { 0 };
	struct scan_drift drift = { .arena = &report->arena };
	struct image_request watched = *req;
	watched.changes = scan_drift_keep;
	watched.changes_ctx = &drift;
	secrets_init(&secrets);
	rc = req->kind == IMAGE_SBOM ? 0 : take_secrets(o, req, &secrets, &contents, report, err);
	rc = rc < 0 || req->kind == IMAGE_SBOM ? rc : take_malware(o, req, &contents, &malware, report, err);
	const struct image_visitor visitor = scan_contents_visitor(&contents, &packages);
	rc = rc < 0 ? rc : image_read(&watched, &visitor, report, err);
	if (rc == BH_OK)
		rc = inventory_finish(inv, err);
	rc = rc < 0 ? rc : scan_secrets_excuse_packages(inv, report, err);
	rc = rc < 0 ? rc : finish_malware(&malware, inv, err);
	rc = rc < 0 ? rc : scan_licenses(report, err);
	if (rc == BH_OK && req->remote && req->remote->container)
		rc = scan_drift_report(&drift, inv, report, err);
	scan_drift_done(&drift);
	secrets_done(&secrets);
	malware_done(&malware);
	inventory_free(inv);
	return rc;
}

static bool wants_attached(const struct scan_options *o)
{
	for (size_t i = 0; i < o->policy.n_vex; i++)
		if (strcmp(o->policy.vex[i], POLICY_VEX_ATTACHED) == 0)
			return true;
	return false;
}

static int take_attached(const struct image_request *req, struct bh_report *report, struct bh_err *err)
{
	if (req->remote && !req->remote->archive)
		return scan_attached_vex(req->remote, report, err);
	bh_report_incomplete(report, "vex", BH_SLICE_LIT(POLICY_VEX_ATTACHED), BH_NO_LAYER, "documents are attached to images in registries only");
	return 0;
}

static int read_image(const struct scan_options *o, struct store_cache *cache, struct bh_report *report, struct bh_err *err)
{
	struct image_key key;
	if (cache)
		key = image_cache_key(cache);
	else
		image_key_draw(&key);
	struct image_request req = {
		.key = &key,
		.cache = cache,
		.platform = o->platform,
		.parallel = o->parallel,
		.max_layer_bytes = o->max_layer_bytes,
		.quiet = o->quiet,
	};
	struct registry_remote *remote = NULL;
	const struct scan_target_options where = { .registry = &o->registry, .staged = o->staged, .tell = o->tell };
	int rc = scan_target_open(o->target, &where, &report->arena, &req, &remote, err);
	if (rc == BH_OK)
		rc = take_inventory(o, &req, report, err);
	if (rc == BH_OK && wants_attached(o))
		rc = take_attached(&req, report, err);
	if (rc < 0)
		rc = name_target(o->target, req.path ? req.path : o->target, err);
	registry_close(remote); /* its label is part of req.path */
	report->target.text = bh_slice_str(o->target);
	bool asked = (o->scanners == 0 || (o->scanners & SCAN_VULNERABILITIES)) && req.kind != IMAGE_GIT;
	if (rc == BH_OK && asked && report->packages.len == 0) /* not the same as "no vulnerable packages" */
		bh_report_incomplete(report, "packages", (struct bh_slice){ 0 }, BH_NO_LAYER,
				     "no package database of a known kind was found, so there was nothing to match with advisories");
	return rc;
}

int scan_read(const struct scan_options *o, struct bh_report *report, struct bh_err *err)
{
	struct store_cache *cache;
	int rc = open_cache(o, &cache, err);
	rc = rc == BH_OK ? read_image(o, cache, report, err) : rc;
	store_cache_close(cache);
	return rc;
}

static int match(const struct scan_options *o, struct bh_report *report, struct bh_err *err)
{
	struct vuln_set *set;
	int rc = vuln_set_open(o->db_path, &set, err);
	if (rc < 0)
		return rc;
	struct vuln_match_options options = {
		.include_withdrawn = o->include_withdrawn,
		.match_owned = o->match_owned,
		.today_days = (int32_t)(o->policy.now_s / SECONDS_PER_DAY),
		.max_db_age_days = o->max_db_age_days,
	};
	rc = scan_name_archives(set, report, err);
	rc = rc < 0 ? rc : vuln_match(set, &options, report, err);
	vuln_set_close(set);
	return rc;
}

static void stamp(struct bh_report *report, int64_t now_s)
{
	char text[BH_TIME_TEXT_BYTES];
	if (!bh_time_text(now_s, text) || !bh_arena_copy(&report->arena, bh_slice_str(text), &report->generated))
		report->generated = (struct bh_slice){ 0 }; /* a report without its time is still a report */
}

int scan_run(const struct scan_options *o, struct bh_report *report, struct bh_err *err)
{
	int rc = scan_read(o, report, err);
	if (rc == BH_OK && (o->scanners & SCAN_VULNERABILITIES))
		rc = match(o, report, err);
	rc = rc < 0 ? rc : scan_licenses_judge(report, &o->license_allow, &o->license_deny, err);
	rc = rc < 0 ? rc : policy_judge(&o->policy, report, err);
	if (rc < 0)
		return rc;
	stamp(report, o->policy.now_s);
	return BH_OK;
}
