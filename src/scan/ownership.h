/*
 * ownership.h: which files belong to packages of the distribution? Language packages among them (python3-requests brings a
 * dist-info) are the distribution's to patch: they are listed with their owner, and judged by its advisories.
 *
 * The lists of files are long, so paths cross from the child as keyed 64-bit hashes: the key is secret, or an image could craft
 * a path that collides with an owned one and so hide a package from matching.
 */
#ifndef BH_SCAN_OWNERSHIP_H
#define BH_SCAN_OWNERSHIP_H

#include "base/buf.h"
#include "base/vec.h"
#include "image/pathhash.h"
#include "model/report.h"

struct owner {
	struct bh_slice type, name, arch; /* arch: empty when the list of files does not say */
	enum bh_reach reach;              /* what the paths look like */
};

struct owned_hash {
	uint64_t hash;
	uint32_t owner;
};

BH_VEC(owner_vec, struct owner)
BH_VEC(owned_hash_vec, struct owned_hash)

struct ownership {
	struct owner_vec owners;
	struct owned_hash_vec hashes;
};

void ownership_init(struct ownership *o);
void ownership_done(struct ownership *o);

/* The child: some of paths (each ended by NUL), as much as one message may hold, into frame; *rest is what is left. False: no memory. */
bool ownership_put(struct bh_buf *frame, const struct image_key *key, const struct owner *owner, struct bh_slice paths, struct bh_slice *rest);

/* The parent: takes such a message in; slices are copied to arena. False: malformed or over a limit. */
bool ownership_take(struct ownership *o, struct bh_slice payload, struct bh_arena *arena);

/* Fills reach of every package that has a list of files. Packages are sorted. */
void ownership_reach(const struct ownership *o, struct bh_report *report);

/*
 * Fills owner of every package whose file a package of another type owns, and of programs told by their own bytes. Packages are sorted
 * and have their purls.
 */
void ownership_name(struct ownership *o, const struct image_key *key, struct bh_report *report);

/*
 * After ownership_name: programs and libraries that only their own bytes tell ("OpenSSL 3.0.20", "from systemd 252") go when a package owns
 * the file, for the database has named that package already and its version is the one that advisories speak of. What stays was copied
 * out of its package, or never had one.
 */
void ownership_drop_told(struct bh_report *report);

/* After ownership_name: the package whose file it is; NULL when no list of files has it. */
const struct bh_package *ownership_find(const struct ownership *o, const struct image_key *key, const struct bh_report *report, struct bh_slice path);

#endif
