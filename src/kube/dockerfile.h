/*
 * dockerfile.h: Dockerfiles as objects that policies ask about: one bulkhead.io/v1 Dockerfile with its stages for each file, and one Instruction for each
 * instruction, so that what is wrong with one is told at its line. Names of files say which are read so, or how the text begins.
 */
#ifndef BH_KUBE_DOCKERFILE_H
#define BH_KUBE_DOCKERFILE_H

#include "kube/objects.h"

extern const struct kube_foreign kube_dockerfile;

#endif
