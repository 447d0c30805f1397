/* holds.c: see holds.h. */
#include "agent/holds.h"

#include "agent/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define FILE_SYSTEM "/sys/fs/bpf"
#define TOP FILE_SYSTEM "/bulkhead-guard"
#define RUN "run-"
#define QUARANTINE "quarantine-"
#define BPF_MAGIC 0xcafe4a11u

static int make(const char *path, struct bh_err *err)
{
	struct statfs st;
	if (statfs(FILE_SYSTEM, &st) < 0 || (uint32_t)st.f_type != BPF_MAGIC)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "no BPF file system is mounted at " FILE_SYSTEM);
	if ((mkdir(TOP, 0700) < 0 && errno != EEXIST) || (mkdir(path, 0700) < 0 && errno != EEXIST)) {
		(void)bh_fail_errno(err, errno, "%s", path);
		err->code = BH_EUNSUPPORTED;
		return BH_EUNSUPPORTED;
	}
	return 0;
}

int agent_hold_run(pid_t pid, char path[AGENT_HOLD_PATH_BYTES], struct bh_err *err)
{
	(void)snprintf(path, AGENT_HOLD_PATH_BYTES, TOP "/" RUN "%d", (int)pid);
	agent_hold_remove(path); /* of an agent that had the same number */
	return make(path, err);
}

int agent_hold_quarantine(uint64_t group, char path[AGENT_HOLD_PATH_BYTES], struct bh_err *err)
{
	(void)snprintf(path, AGENT_HOLD_PATH_BYTES, TOP "/" QUARANTINE "%" PRIu64, group);
	return make(path, err);
}

bool agent_hold_is_full(const char *path)
{
	bool any = false;
	DIR *dir = opendir(path);
	for (struct dirent *d; dir && (d = readdir(dir));)
		any |= d->d_name[0] != '.';
	if (dir)
		(void)closedir(dir);
	return any;
}

void agent_hold_remove(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *d; (d = readdir(dir));)
		if (d->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(path);
}

/* Gives the number in the name of each folder of a kind to `ends`, and removes it where that is true. How many were. */
static size_t sweep(const char *kind, bool (*ends)(uint64_t number, void *ctx), void *ctx)
{
	size_t n = 0;
	DIR *dir = opendir(TOP);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		char path[AGENT_HOLD_PATH_BYTES];
		uint64_t number;
		struct bh_slice name = bh_slice_str(d->d_name), prefix = bh_slice_str(kind);
		if (!bh_slice_starts(name, prefix) || !bh_slice_u64(bh_slice_sub(name, prefix.len, name.len), UINT64_MAX, &number) || !ends(number, ctx))
			continue;
		(void)snprintf(path, sizeof(path), TOP "/%s%" PRIu64, kind, number);
		agent_hold_remove(path);
		n++;
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

static bool runs(uint64_t pid)
{
	char path[64], name[32] = "";
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu64 "/comm", pid);
	FILE *f = fopen(path, "re");
	bool is_agent = f && fgets(name, sizeof(name), f) && strcmp(name, "bulkhead-guard\n") == 0;
	if (f)
		(void)fclose(f);
	return is_agent;
}

/* own: 0: whoever it is */
static bool is_over(uint64_t number, void *ctx)
{
	pid_t own = *(const pid_t *)ctx;
	return own == 0 || (number != (uint64_t)own && !runs(number));
}

size_t agent_holds_take_over(pid_t own)
{
	return sweep(RUN, is_over, &own);
}

static bool is_gone(uint64_t number, void *ctx)
{
	int groups_fd = *(const int *)ctx, fd = groups_fd >= 0 ? agent_group_open(groups_fd, number) : -1;
	if (fd >= 0)
		(void)close(fd);
	return fd < 0;
}

size_t agent_holds_end_quarantines(int groups_fd)
{
	return sweep(QUARANTINE, is_gone, &groups_fd);
}

static bool count_only(uint64_t number, void *ctx)
{
	(void)number;
	++*(size_t *)ctx;
	return false;
}

size_t agent_holds_quarantines(void)
{
	size_t n = 0;
	(void)sweep(QUARANTINE, count_only, &n);
	return n;
}
