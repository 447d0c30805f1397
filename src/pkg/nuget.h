/*
 * nuget.h: the "libraries" that project.assets.json and *.deps.json share:
 *
 *     { "libraries": { "Newtonsoft.Json/13.0.1": { "type": "package", "sha512": ... }, "App/1.0.0": { "type": "project" } } }
 */
#ifndef BH_PKG_NUGET_H
#define BH_PKG_NUGET_H

#include "pkg/json_items.h"

struct pkg_nuget_how {
	enum bh_evidence evidence;
	enum bh_scope (*scope)(void *ctx, struct bh_slice library); /* by its key "Name/1.0"; NULL: all are needed */
	void *ctx;
};

/* Hands on every library that came from a NuGet package. A text without libraries gives nothing. */
int pkg_nuget_libraries(const struct pkg_file *file, const struct pkg_nuget_how *how, const struct pkg_sink *sink, struct bh_err *err) BH_MUST_CHECK;

#endif
