/* reach.c: see reach.h. Nodes whose edges are still to be followed wait in one list per scope; the least scope is followed to its end first. */
#include "pkg/reach.h"

#define NODES_MAX 1000000u
#define SCOPES (BH_SCOPE_DEVELOPMENT + 1)

struct edge {
	struct pkg_reach_node *to;
	struct edge *next;
	enum bh_scope scope;
};

struct pkg_reach_node {
	struct edge *edges;
	struct pkg_reach_node *waits_behind[SCOPES];
	enum bh_scope scope;
	bool reached;
};

void pkg_reach_init(struct pkg_reach *r, struct bh_arena *arena)
{
	r->arena = arena;
	bh_map_init(&r->nodes, NODES_MAX);
}

void pkg_reach_done(struct pkg_reach *r)
{
	bh_map_done(&r->nodes);
}

struct pkg_reach_node *pkg_reach_node(struct pkg_reach *r, struct bh_slice id)
{
	struct pkg_reach_node *node = bh_map_get(&r->nodes, id);
	struct bh_slice copy;
	if (node)
		return node;
	node = BH_ARENA_NEW(r->arena, struct pkg_reach_node);
	if (!node || !bh_arena_copy(r->arena, id, &copy))
		return NULL;
	void **slot = bh_map_put(&r->nodes, copy);
	if (slot)
		*slot = node;
	node->scope = BH_SCOPE_DEVELOPMENT;
	return slot ? node : NULL;
}

bool pkg_reach_edge(struct pkg_reach *r, struct pkg_reach_node *from, struct pkg_reach_node *to, enum bh_scope scope)
{
	struct edge *e = BH_ARENA_NEW(r->arena, struct edge);
	if (!e)
		return false;
	*e = (struct edge){ .to = to, .next = from->edges, .scope = scope };
	from->edges = e;
	return true;
}

/* A node waits at most once per scope: each time with a lesser one than before. */
static void reach(struct pkg_reach_node *node, enum bh_scope scope, struct pkg_reach_node **waiting)
{
	if (node->reached && node->scope <= scope)
		return;
	node->reached = true;
	node->scope = scope;
	node->waits_behind[scope] = waiting[scope];
	waiting[scope] = node;
}

void pkg_reach_from(struct pkg_reach *r, struct pkg_reach_node *root)
{
	(void)r;
	struct pkg_reach_node *waiting[SCOPES] = { NULL };
	reach(root, BH_SCOPE_RUNTIME, waiting);
	for (int scope = 0; scope < SCOPES; scope++)
		while (waiting[scope]) {
			struct pkg_reach_node *node = waiting[scope];
			waiting[scope] = node->waits_behind[scope];
			for (const struct edge *e = (int)node->scope == scope ? node->edges : NULL; e; e = e->next)
				reach(e->to, (int)e->scope > scope ? e->scope : (enum bh_scope)scope, waiting);
		}
}

enum bh_scope pkg_reach_scope(const struct pkg_reach *r, struct bh_slice id)
{
	const struct pkg_reach_node *node = bh_map_get(&r->nodes, id);
	return node ? node->scope : BH_SCOPE_DEVELOPMENT;
}
