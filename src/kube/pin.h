/*
 * pin.h: names of images with the digest of what they stand for: in fields of pods and of services of Compose. Who asks a registry is behind a door: kube/ knows no network.
 */
#ifndef BH_KUBE_PIN_H
#define BH_KUBE_PIN_H

#include "kube/objects.h"
#include "model/digest.h"

/* The digest that a registry has for a name now. */
struct kube_resolver {
	int (*resolve)(void *ctx, struct bh_slice image, char digest[static BH_DIGEST_TEXT_BYTES], struct bh_err *err);
	void *ctx;
};

bool pin_is_check(struct bh_slice check); /* one whose findings are images without a digest */

/* *ret: the object's value with digests behind the images that have none; *ret_why: why one has none all the same, or empty. Both live in the arena. */
int pin_images(const struct kube_object *o, struct cel_value value, const struct kube_resolver *resolver, struct bh_arena *arena, struct cel_value *ret, struct bh_slice *ret_why,
	       struct bh_err *err) BH_MUST_CHECK;

#endif
