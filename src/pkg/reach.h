/*
 * reach.h: who needs a package of a lockfile: the project itself, an optional part of it, or its development only. Some lockfiles
 * (pnpm 9, bun, uv) give the edges and leave the answer to the reader.
 *
 * Nodes have ids, edges have the scope in which they hold. A node has the least scope of all ways that lead to it, a way the greatest of
 * its edges: development by way of a package of development, optional by way of an optional one. Nodes without a way to them are
 * development's last resort: BH_SCOPE_DEVELOPMENT.
 */
#ifndef BH_PKG_REACH_H
#define BH_PKG_REACH_H

#include "base/arena.h"
#include "base/map.h"
#include "model/package.h"

struct pkg_reach_node;

struct pkg_reach {
	struct bh_map nodes;
	struct bh_arena *arena;
};

void pkg_reach_init(struct pkg_reach *r, struct bh_arena *arena);
void pkg_reach_done(struct pkg_reach *r);

/* The node with this id, made when it is new; NULL when memory or the number of nodes is at its end. The id is copied. */
struct pkg_reach_node *pkg_reach_node(struct pkg_reach *r, struct bh_slice id) BH_MUST_CHECK;

/* False when out of memory. */
bool pkg_reach_edge(struct pkg_reach *r, struct pkg_reach_node *from, struct pkg_reach_node *to, enum bh_scope scope) BH_MUST_CHECK;

/* Settles the scope of everything that can be reached from root. Once, when all edges are known. */
void pkg_reach_from(struct pkg_reach *r, struct pkg_reach_node *root);

/* Of a node by its id, BH_SCOPE_DEVELOPMENT for unknown ones. After pkg_reach_from. */
enum bh_scope pkg_reach_scope(const struct pkg_reach *r, struct bh_slice id);

#endif
