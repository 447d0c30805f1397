/* hardened.h: the part of `bulkhead harden` that writes an image: options, the writing, and what a scan says before and after. */
#ifndef BH_CMD_HARDENED_H
#define BH_CMD_HARDENED_H

#include "cmd/scanning.h"
#include "harden/newimage.h"

#define CMD_HARDENED_OPTIONS \
	{ .name = "image", .kind = CMD_STRING, .argument = "DIR|FILE.tar", .not_in_config = true, .help = "write the hardened image there: an OCI layout, or an archive for docker load" }, \
	{ .name = "name", .kind = CMD_STRING, .argument = "NAME[:TAG]", .not_in_config = true, .help = "what the hardened image is called in it" }, \
	{ .name = "keep", .kind = CMD_LIST, .argument = "NAME", .commas = true, .help = "leave this program, package or path in the image as it is; \"*\" stands for any characters; may be repeated" }, \
	{ .name = "dockerfile", .kind = CMD_STRING, .argument = "FILE", .not_in_config = true, \
	  .help = "the Dockerfile that the image was built from: DIR gets Dockerfile.patch, which gives the same" }, \
	{ .name = "verify", .kind = CMD_STRING, .argument = "COMMAND", .not_in_config = true, \
	  .help = "start both images, run this shell command about each ($ADDRESS, $PID, $CONTAINER), and fail unless both succeed and print the same" }, \
	{ .name = "verify-time", .kind = CMD_UINT, .argument = "SECONDS", .default_text = "60", .min = 1, .max = 3600, .help = "how long each image may take until the command succeeds" }, \
	{ .name = "engine", .kind = CMD_STRING, .argument = "COMMAND", .default_text = "docker", .help = "what --verify starts containers with: docker or podman, with options of theirs" }, \
	{ .name = "run-options", .kind = CMD_STRING, .argument = "WORDS", .help = "more options of \"run\" for both containers of --verify: \"--network none\"" }, \
	{ .name = "no-compare", .kind = CMD_FLAG, .help = "don't scan the image before and after" }

struct hardened {
	const struct cmd_args *args;
	struct shrink_options options;
	struct newimage_options where;
	struct image_key key;
	struct shrink shrink;
	struct image_rewriting rewriting;
	struct newimage image;
	struct bh_buf dockerfile; /* the text of --dockerfile */
	char created[BH_TIME_TEXT_BYTES];
	char source[64];          /* what a scan of the original is told to read; empty: the target as the user typed it */
	int stream_fd;            /* a stream that was kept, so that it can be read again; or -1 */
	bool compared, verified, differs; /* differs: --verify says so */
	uint64_t before[BH_SEV_CRITICAL + 1], after[BH_SEV_CRITICAL + 1];
};

/* NULL, or what is wrong with these options together. */
int hardened_check(const struct cmd_args *args, struct bh_err *err);

void hardened_init(struct hardened *h, const struct cmd_args *args);
void hardened_done(struct hardened *h);

/* Before the image is read: keeps what only streams by, and has req tell what layers hide. */
int hardened_prepare(struct hardened *h, struct image_request *req, struct bh_err *err) BH_MUST_CHECK;

/* After it was decided how the image runs. req: the same. */
int hardened_write(struct hardened *h, const char *target, const struct image_request *req, const struct gather *g, const struct reach *reach, const struct profile *profile,
		   struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* Dockerfile.patch. False when out is full. */
bool hardened_patch(const struct hardened *h, struct bh_buf *out);

/* Once the run profile is written, too: --verify. */
int hardened_verify(struct hardened *h, const struct image_request *req, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/* For standard output: what was done and what it brought. */
void hardened_tell(const struct hardened *h, struct bh_buf *out);

#endif
