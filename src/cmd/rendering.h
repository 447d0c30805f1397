/* rendering.h: the options of all commands that take folders of manifests: what Helm charts among them are rendered with. */
#ifndef BH_CMD_RENDERING_H
#define BH_CMD_RENDERING_H

#include "cmd/cmd.h"
#include "kube/render.h"

/* As helm template calls them; --namespace is a second name of the last one where the command has no other meaning for it. */
#define CMD_RENDERING_OPTIONS(SECOND_NAME) \
	{ .name = "values", .kind = CMD_LIST, .argument = "FILE", .help = "Helm charts: a file with values; may be repeated" }, \
	{ .name = "set", .kind = CMD_LIST, .argument = "KEY=VALUE", .help = "Helm charts: a value, as helm --set takes it; may be repeated" }, \
	{ .name = "release", .kind = CMD_STRING, .argument = "NAME", .help = "Helm charts: the name of the release; default: release-name" }, \
	{ .name = "release-namespace", .kind = CMD_STRING, .argument = "NAME", .help = "Helm charts: the namespace of the release", .alias = SECOND_NAME }

/* Of these options; version: the option with Kubernetes' version, NULL = helm's own one counts. A file that can't be read and a value without "=" are errors of usage. */
int cmd_rendering(const struct cmd_args *args, const char *version, struct kube_rendering *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
