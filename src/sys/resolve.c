/*
 * resolve.c: path resolution by hand. Every step opens one name relative to the folder above it and follows nothing, so renames
 * during the walk can't lead out: ".." goes back to a folder that was opened on the way in, never to what is its parent now.
 */
#include "sys/resolve.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40u   /* as in the kernel (MAXSYMLINKS) */
#define FOLDERS_MAX 256u /* open at once; deeper real trees don't exist, and descriptors are few */

struct walk {
	int root_fd;
	bool in_root;
	int folders[FOLDERS_MAX]; /* from below the root to where we are */
	size_t depth;
	unsigned links;
	char todo[BH_PATH_BYTES_MAX]; /* what is left of the path */
};

static int give_up(int why)
{
	errno = why;
	return -1;
}

static int here(const struct walk *w)
{
	return w->depth ? w->folders[w->depth - 1] : w->root_fd;
}

static void leave(struct walk *w, size_t depth)
{
	while (w->depth > depth)
		(void)close(w->folders[--w->depth]);
}

/* Cuts the next name off todo. A leading "/" goes back to the root, where that is allowed. */
static int next_name(struct walk *w, char name[NAME_MAX + 1])
{
	if (w->todo[0] == '/') {
		if (!w->in_root)
			return give_up(EXDEV);
		leave(w, 0);
	}
	size_t start = strspn(w->todo, "/"), len = strcspn(w->todo + start, "/");
	if (len > NAME_MAX)
		return give_up(ENAMETOOLONG);
	memcpy(name, w->todo + start, len);
	name[len] = '\0';
	size_t rest = start + len;
	bool more = w->todo[rest] == '/';
	rest += strspn(w->todo + rest, "/");
	memmove(w->todo, w->todo + rest, strlen(w->todo + rest) + 1);
	return more; /* a "/" behind it: this must be a folder */
}

/* Puts the link's target before what is left. */
static int follow(struct walk *w, int link_fd, bool more)
{
	if (++w->links > LINKS_MAX)
		return give_up(ELOOP);
	char target[BH_PATH_BYTES_MAX];
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target));
	if (len <= 0)
		return len < 0 ? -1 : give_up(ENOENT);
	size_t rest = strlen(w->todo) + 1, at = (size_t)len + (more ? 1 : 0);
	if (at > sizeof(w->todo) - rest)
		return give_up(ENAMETOOLONG);
	memmove(w->todo + at, w->todo, rest);
	memcpy(w->todo, target, (size_t)len);
	if (more)
		w->todo[len] = '/';
	return 0;
}

static int go_up(struct walk *w)
{
	if (w->depth == 0 && !w->in_root)
		return give_up(EXDEV);
	leave(w, w->depth ? w->depth - 1 : 0);
	return 0;
}

/* One name. *ret_fd is set when the walk is over. */
static int step(struct walk *w, const char *name, bool more, int flags, int *ret_fd)
{
	int fd = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? -1 : (close(fd), -1);
	int rc = 0;
	if (S_ISLNK(st.st_mode)) {
		rc = follow(w, fd, more);
	} else if (!more) {
		rc = *ret_fd = openat(here(w), name, flags | O_NOFOLLOW);
	} else if (!S_ISDIR(st.st_mode)) {
		rc = give_up(ENOTDIR);
	} else if (w->depth == FOLDERS_MAX) {
		rc = give_up(ENAMETOOLONG);
	} else {
		w->folders[w->depth++] = fd;
		return 0;
	}
	int why = errno;
	(void)close(fd);
	errno = why;
	return rc;
}

int resolve_walk(int root_fd, const char *path, bool in_root, int flags)
{
	struct walk w = { .root_fd = root_fd, .in_root = in_root };
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(w.todo))
		return give_up(len ? ENAMETOOLONG : ENOENT);
	memcpy(w.todo, path, len + 1);
	int rc = 0, fd = -1;
	while (rc >= 0 && fd < 0) {
		char name[NAME_MAX + 1];
		int more = next_name(&w, name);
		if (more < 0 || strcmp(name, "..") == 0)
			rc = more < 0 ? -1 : go_up(&w);
		else if (name[0] && strcmp(name, ".") != 0)
			rc = step(&w, name, more, flags, &fd);
		if (rc >= 0 && fd < 0 && w.todo[0] == '\0') /* it ended in a folder: "a/", "a/.." */
			rc = fd = openat(here(&w), ".", flags);
	}
	int why = errno;
	leave(&w, 0);
	errno = why;
	return fd;
}
