/* way_file.c: a line for each record, behind what a file has. A file that was moved away, as logrotate does, is made anew. */
#include "deliver/courier.h"

#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool takes(const char *target)
{
	return strcmp(target, "-") == 0 || target[0] == '/' || strncmp(target, "./", 2) == 0;
}

static int open_file(struct courier *c, struct bh_err *err)
{
	bool is_standard = strcmp(c->target, "-") == 0;
	c->fd = is_standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open(c->target, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
	return c->fd < 0 ? bh_fail_errno(err, errno, "%s", is_standard ? "standard output" : c->target) : 0;
}

static bool was_moved(const struct courier *c)
{
	struct stat own, there;
	return strcmp(c->target, "-") != 0 && (fstat(c->fd, &own) < 0 || stat(c->target, &there) < 0 || own.st_dev != there.st_dev || own.st_ino != there.st_ino);
}

static int send_lines(struct courier *c, const struct deliver_record *records, size_t n, struct bh_err *err)
{
	if (c->fd >= 0 && was_moved(c)) {
		(void)close(c->fd);
		c->fd = -1;
	}
	int rc = c->fd < 0 ? open_file(c, err) : 0;
	deliver_lines(c, records, n);
	return rc < 0 ? rc : bh_write_all(c->fd, bh_buf_slice(&c->text), err);
}

const struct deliver_way deliver_way_file = { .batch_max = 64, .keeps_root = true, .takes = takes, .open = open_file, .send = send_lines };
