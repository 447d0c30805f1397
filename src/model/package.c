/* package.c: the names of evidence, scopes and reach, and what they say about urgency. */
#include "model/package.h"

const char *bh_evidence_name(enum bh_evidence e)
{
	static const char *const names[] = {
		[BH_EVIDENCE_DATABASE] = "database", [BH_EVIDENCE_BINARY] = "binary",     [BH_EVIDENCE_LOCKFILE] = "lockfile",
		[BH_EVIDENCE_SBOM] = "sbom",         [BH_EVIDENCE_MANIFEST] = "manifest", [BH_EVIDENCE_CONTENT] = "content",
	};
	return (size_t)e < sizeof(names) / sizeof(names[0]) ? names[e] : "content";
}

const char *bh_scope_name(enum bh_scope s)
{
	switch (s) {
	case BH_SCOPE_RUNTIME: return "runtime";
	case BH_SCOPE_OPTIONAL: return "optional";
	case BH_SCOPE_DEVELOPMENT: return "development";
	}
	return "runtime";
}

const char *bh_reach_name(enum bh_reach r)
{
	switch (r) {
	case BH_REACH_UNKNOWN: return "unknown";
	case BH_REACH_CODE: return "code";
	case BH_REACH_NO_CODE: return "no-code";
	case BH_REACH_METADATA: return "metadata";
	}
	return "unknown";
}

const char *bh_package_hint(const struct bh_package *p)
{
	if (p->scope == BH_SCOPE_DEVELOPMENT)
		return "development dependency";
	switch (p->reach) {
	case BH_REACH_UNKNOWN:
	case BH_REACH_CODE: return NULL;
	case BH_REACH_NO_CODE: return "no programs or libraries";
	case BH_REACH_METADATA: return "package record only";
	}
	return NULL;
}
