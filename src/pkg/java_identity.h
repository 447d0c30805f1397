/*
 * java_identity.h: which Maven artifact is this jar? What a manifest (META-INF/MANIFEST.MF) and a file name say when there is no
 * pom.properties. Good guesses: manifests are written freely.
 */
#ifndef BH_PKG_JAVA_IDENTITY_H
#define BH_PKG_JAVA_IDENTITY_H

#include "base/arena.h"
#include "base/slice.h"

struct java_identity {
	struct bh_slice group, artifact, version; /* empty: not known */
	struct bh_slice license, vendor;
};

struct java_manifest {
	struct bh_slice vendor_id, symbolic_name, implementation_version, bundle_version, specification_version, license, vendor;
};

/* "spring-core-5.3.9.jar" -> "spring-core", "5.3.9"; without a version that part stays empty. */
void java_file_name(struct bh_slice base, struct bh_slice *ret_artifact, struct bh_slice *ret_version);

/* The main section of a manifest; values are copied to the arena. False: it is full. */
bool java_manifest_read(struct bh_slice text, struct bh_arena *arena, struct java_manifest *ret);

struct java_identity java_identify(struct bh_slice base, const struct java_manifest *m);

#endif
