/*
 * origin.h: what the documents of a rendered text were made of. Helm writes a comment above each document that it prints, and Kustomize annotates objects with
 * their origin where a kustomization asks for it (buildMetadata: [originAnnotations]):
 *
 *   ---
 *   # Source: shop/templates/web.yaml            config.kubernetes.io/origin: |
 *   apiVersion: apps/v1                            path: ../base/web.yaml
 *
 * A text that was rendered is called so, "charts/shop (rendered)" or "prod/kustomization.yaml (rendered)", and its objects after their origin:
 * "charts/shop/templates/web.yaml (rendered)". Lines are those of the rendered text, and mean nothing in the file that the name names.
 */
#ifndef BH_KUBE_ORIGIN_H
#define BH_KUBE_ORIGIN_H

#include "base/arena.h"
#include "base/vec.h"
#include "policy/cel/value.h"

#define KUBE_RENDERED " (rendered)"

/* Was it rendered? *ret: the name without saying so; otherwise the name. */
bool kube_is_rendered(struct bh_slice file, struct bh_slice *ret);

/* In findings of rendered texts the file is the template, and the evidence ends with the line: " (rendered line 31)". */
#define KUBE_RENDERED_LINE " (rendered line %u)"
bool kube_is_rendered_evidence(struct bh_slice evidence);

/* Of which template the documents are that begin below a line. */
struct kube_origin {
	uint32_t line; /* of "---" */
	struct bh_slice template; /* "shop/templates/web.yaml" */
};
BH_VEC(kube_origin_vec, struct kube_origin)

/* The templates of a text that helm rendered, in order; the slices lie in the text. Empty for all other texts. False: no memory. */
bool kube_origins_read(struct bh_slice file, struct bh_slice text, struct kube_origin_vec *ret) BH_MUST_CHECK;

/* What a document that begins at the line is called; `file` where nothing tells more. False: no memory. */
bool kube_origin_at(const struct kube_origin_vec *origins, struct bh_slice file, uint32_t line, struct bh_arena *arena, struct bh_slice *ret) BH_MUST_CHECK;

/* What an object that Kustomize made is called; `file` where nothing tells more. False: no memory. */
bool kube_origin_of(struct cel_value object, struct bh_slice file, struct bh_arena *arena, struct bh_slice *ret) BH_MUST_CHECK;

#endif
