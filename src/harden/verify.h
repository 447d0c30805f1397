/*
 * verify.h: does the hardened image do what the original did? Both are started in real containers, the hardened one as its run profile says, and a command of the user's
 * is asked about each: it must succeed with both and print the same.
 */
#ifndef BH_HARDEN_VERIFY_H
#define BH_HARDEN_VERIFY_H

#include "base/err.h"

#include <stdbool.h>

/* What the image in the original's archive is called, and that in the hardened one's: with "original" and "hardened" as tags. */
#define VERIFY_IMAGE "bulkhead.invalid/verify"

struct verify_options {
	const char *command;  /* for sh -c, on this machine; CONTAINER, ADDRESS (may be empty), PID and ENGINE are in its environment */
	const char *engine;   /* "docker" or "podman", with arguments, words separated by blanks: "docker -H unix:///run/other.sock" */
	const char *original, *hardened; /* archives */
	const char *profile;  /* the folder with docker-run.txt, podman-run.txt and seccomp.json */
	const char *run;      /* more words for "run" of both, NULL: none */
	unsigned seconds;     /* how long each may take until the command succeeds */
	bool quiet;
};

/* 0: equal. BH_EMISMATCH: they differ, and how. Other errors: it could not be tried. Containers and images are gone afterwards. */
int verify_run(const struct verify_options *o, struct bh_err *err) BH_MUST_CHECK;

#endif
