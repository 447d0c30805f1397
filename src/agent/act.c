/* act.c: see act.h. */
#include "agent/act.h"

#include "agent/holds.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_group(int groups_fd, uint64_t group, struct bh_err *err)
{
	int fd = groups_fd >= 0 ? agent_group_open(groups_fd, group) : -1;
	if (groups_fd < 0)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "a container was to be stopped, but control groups of version 2 are not mounted");
	return fd < 0 ? bh_fail_errno(err, errno, "the control group of a container that was to be stopped") : fd;
}

int agent_freeze(int groups_fd, uint64_t group, struct bh_err *err)
{
	BH_CLOSE int fd = open_group(groups_fd, group, err);
	if (fd < 0)
		return fd;
	BH_CLOSE int file = openat(fd, "cgroup.freeze", O_WRONLY | O_CLOEXEC);
	return file < 0 || write(file, "1", 1) != 1 ? bh_fail_errno(err, errno, "freezing a container") : 0;
}

int agent_cut_off(struct sensor *s, int groups_fd, uint64_t group, struct bh_err *err)
{
	char folder[AGENT_HOLD_PATH_BYTES];
	struct bh_err why = { 0 };
	BH_CLOSE int fd = open_group(groups_fd, group, err);
	if (fd < 0)
		return fd;
	bool is_held = agent_hold_quarantine(group, folder, &why) == 0;
	if (is_held && agent_hold_is_full(folder))
		return 0; /* by an agent before this one */
	return sensor_cut_off(s, fd, is_held ? folder : NULL, err);
}
