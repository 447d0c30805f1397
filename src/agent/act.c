/* act.c: see act.h. */
#include "agent/act.h"

#include "agent/holds.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void agent_drop_rights(void)
{
	static const unsigned kept[] = { CAP_KILL, CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { 0 }, own[2] = { 0 };
	if (syscall(SYS_capget, &header, all) < 0)
		return;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		own[kept[i] / 32].permitted |= all[kept[i] / 32].permitted & 1u << kept[i] % 32;
	for (size_t i = 0; i < 2; i++)
		own[i].effective = own[i].permitted;
	(void)syscall(SYS_capset, &header, own);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

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
