/* test_files.c: opening without being led astray, reading whole, writing all or nothing. The kernel's openat2 is the judge of resolve.c. */
#include "sys/files.h"
#include "sys/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Every test runs inside a folder of its own. */
static char home[] = "/tmp/bulkhead-files-XXXXXX";
static int home_fd = -1;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(home) || chdir(home) < 0)
		return -1;
	if (mkdir("root", 0700) < 0 || mkdir("root/a", 0700) < 0 || mkdir("root/a/b", 0700) < 0)
		return -1;
	put("outside", "outside");
	put("root/file", "file");
	put("root/a/b/deep", "deep");
	int rc = symlink("a/b", "root/short") | symlink("/a/b/deep", "root/absolute") | symlink("../outside", "root/out") |
		 symlink("../../file", "root/a/b/up") | symlink("../../../../../../file", "root/a/b/far-up") | symlink("loop2", "root/loop1") |
		 symlink("loop1", "root/loop2") | symlink("nowhere", "root/dangling") | symlink("short/deep", "root/twice") |
		 symlink("a/b/", "root/slash") | mkfifo("root/fifo", 0600) | symlink("fifo", "root/to-fifo");
	home_fd = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return rc == 0 && home_fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(home_fd);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", home);
	return chdir("/") | system(command);
}

static const char *const paths[] = {
	"file", "a/b/deep", "./file", "a/../file", "a/./b//deep", "short/deep", "twice", "slash/deep", "absolute", "/file", "/a/b/deep",
	"out", "../outside", "a/../../outside", "a/b/up", "a/b/far-up", "loop1", "dangling", "missing", "missing/deep", "file/", "file/x",
	"a", "a/", "a/b/..", ".", "/", "..", "", "short", "slash", "short/", "file/..", "out/..", "../root/file",
};

static int kernel_open(const char *path, uint64_t resolve, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags, .resolve = resolve };
	return (int)syscall(SYS_openat2, home_fd, path, &how, sizeof(how));
}

static void the_walk_agrees_with_the_kernel(void **state)
{
	(void)state;
	int probe = kernel_open("file", RESOLVE_BENEATH, O_RDONLY);
	if (probe < 0) {
		print_message("# skipped: this kernel has no openat2 to compare with\n");
		skip();
	}
	close(probe);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) * 2; i++) {
		const char *path = paths[i / 2];
		bool in_root = i % 2;
		int theirs = kernel_open(path, in_root ? RESOLVE_IN_ROOT : RESOLVE_BENEATH, O_RDONLY | O_CLOEXEC), their_errno = errno;
		int ours = resolve_walk(home_fd, path, in_root, O_RDONLY | O_CLOEXEC), our_errno = errno;
		struct stat a, b;
		if ((theirs < 0) != (ours < 0) || (ours < 0 && our_errno != their_errno))
			fail_msg("\"%s\" (in root: %d): kernel %d (%s), walk %d (%s)", path, in_root, theirs, strerror(their_errno), ours,
				 strerror(our_errno));
		if (ours >= 0) {
			assert_int_equal(fstat(theirs, &a) | fstat(ours, &b), 0);
			if (a.st_ino != b.st_ino)
				fail_msg("\"%s\" (in root: %d): another file than the kernel's", path, in_root);
			close(ours);
			close(theirs);
		}
	}
}

static void nothing_leads_out_of_the_folder(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int beneath, in_root;
	} table[] = {
		{ "file", BH_OK, BH_OK },          { "twice", BH_OK, BH_OK },
		{ "absolute", BH_EIO, BH_OK },     { "out", BH_EIO, BH_ENOTFOUND },
		{ "../outside", BH_EIO, BH_ENOTFOUND }, { "a/b/far-up", BH_EIO, BH_OK },
		{ "loop1", BH_EIO, BH_EIO },       { "dangling", BH_ENOTFOUND, BH_ENOTFOUND },
		{ "fifo", BH_EIO, BH_EIO },        { "to-fifo", BH_EIO, BH_EIO },
		{ "a", BH_EIO, BH_EIO },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bh_err err = { 0 };
		int fd = -1;
		int rc = bh_open_beneath(home_fd, table[i].path, &fd, &err);
		if (rc != table[i].beneath)
			fail_msg("%s beneath: %d %s", table[i].path, rc, err.text);
		assert_int_equal(fd >= 0, rc == BH_OK);
		if (fd >= 0)
			close(fd);
		fd = -1;
		rc = bh_open_in_root(home_fd, table[i].path, &fd, &err);
		if (rc != table[i].in_root)
			fail_msg("%s in root: %d %s", table[i].path, rc, err.text);
		if (fd >= 0)
			close(fd);
	}
}

/* What a path is, without opening it: links count as what they lead to within the root. */
static void looking_stays_in_the_root_too(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int stat, folder;
		mode_t kind;
	} table[] = {
		{ "file", BH_OK, BH_ENOTFOUND, S_IFREG },  { "absolute", BH_OK, BH_ENOTFOUND, S_IFREG }, { "/file", BH_OK, BH_ENOTFOUND, S_IFREG },
		{ "out", BH_ENOTFOUND, BH_ENOTFOUND, 0 },  { "loop1", BH_EIO, BH_EIO, 0 },               { "dangling", BH_ENOTFOUND, BH_ENOTFOUND, 0 },
		{ "fifo", BH_OK, BH_ENOTFOUND, S_IFIFO },  { "a", BH_OK, BH_OK, S_IFDIR },               { "a/../../a", BH_OK, BH_OK, S_IFDIR },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bh_err err = { 0 };
		struct stat st = { 0 };
		int fd = -1, rc = bh_stat_in_root(home_fd, table[i].path, &st, &err);
		if (rc != table[i].stat || (rc == BH_OK && (st.st_mode & S_IFMT) != table[i].kind))
			fail_msg("stat of %s: %d %s", table[i].path, rc, err.text);
		rc = bh_open_folder_in_root(home_fd, table[i].path, &fd, &err);
		if (rc != table[i].folder)
			fail_msg("folder %s: %d %s", table[i].path, rc, err.text);
		assert_int_equal(fd >= 0, rc == BH_OK);
		if (fd >= 0)
			close(fd);
	}
}

static void only_regular_files_open_and_the_error_says_so(void **state)
{
	(void)state;
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	assert_int_equal(bind(sock, (struct sockaddr *)&name, sizeof(name)), 0);
	close(sock);
	static const char *const table[][2] = {
		{ "root/fifo", "root/fifo is a FIFO, not a regular file" },
		{ "root", "root is a folder, not a regular file" },
		{ "/dev/null", "/dev/null is a character device, not a regular file" },
		{ "socket", "socket is a socket, not a regular file" },
		{ "missing", "missing: no such file" },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bh_err err = { 0 };
		int fd = -1;
		uint64_t size = 7;
		assert_true(bh_open_regular(table[i][0], &fd, &size, &err) < 0);
		assert_string_equal(err.text, table[i][1]);
		assert_int_equal(fd, -1);
		assert_int_equal(size, 7);
	}
	struct bh_err err = { 0 };
	int fd = -1;
	uint64_t size;
	assert_int_equal(bh_open_regular("root/out", &fd, &size, &err), BH_OK); /* the user's own links are followed */
	assert_int_equal(size, 7);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
}

static void reading_stops_at_the_limit(void **state)
{
	(void)state;
	put("eight", "12345678");
	struct bh_err err = { 0 };
	struct bh_buf b;
	bh_buf_init(&b, 8);
	assert_int_equal(bh_read_file("eight", 8, &b, &err), BH_OK); /* exactly full is not too much */
	assert_true(bh_slice_eq_str(bh_buf_slice(&b), "12345678"));
	bh_buf_done(&b);
	bh_buf_init(&b, 7);
	assert_int_equal(bh_read_file("eight", 100, &b, &err), BH_ELIMIT);
	assert_string_equal(err.text, "eight: larger than 7 bytes");
	bh_buf_done(&b);
	bh_buf_init(&b, 100);
	assert_int_equal(bh_read_file("eight", 7, &b, &err), BH_ELIMIT);
	bh_buf_done(&b);
	struct bh_slice map;
	assert_int_equal(bh_map_file("eight", 7, &map, &err), BH_ELIMIT);
	assert_int_equal(bh_map_file("eight", 8, &map, &err), BH_OK);
	assert_true(bh_slice_eq_str(map, "12345678"));
	bh_unmap(map);
	put("empty", "");
	assert_int_equal(bh_map_file("empty", 8, &map, &err), BH_OK);
	assert_int_equal(map.len, 0);
	bh_unmap(map);
}

static size_t entries(const char *folder)
{
	size_t n = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void assert_holds(const char *path, const char *text)
{
	struct bh_err err = { 0 };
	struct bh_buf b;
	bh_buf_init(&b, 1000);
	assert_int_equal(bh_read_file(path, 1000, &b, &err), BH_OK);
	assert_true(bh_slice_eq_str(bh_buf_slice(&b), text));
	bh_buf_done(&b);
}

static void writing_replaces_the_whole_file(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(bh_mkdirs("out/put//here", 0700, &err), BH_OK);
	assert_int_equal(bh_mkdirs("out/put", 0700, &err), BH_OK);
	assert_int_equal(bh_mkdirs("root/file/x", 0700, &err), BH_EIO);
	assert_int_equal(bh_write_file_atomic("out/put/report", BH_SLICE_LIT("one"), 0640, &err), BH_OK);
	assert_int_equal(bh_write_file_atomic("out/put/report", BH_SLICE_LIT("three"), 0640, &err), BH_OK);
	assert_holds("out/put/report", "three");
	struct stat st;
	assert_int_equal(stat("out/put/report", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(symlink("put/report", "out/link"), 0);
	assert_int_equal(bh_write_file_atomic("out/link", BH_SLICE_LIT("through"), 0640, &err), BH_OK);
	assert_int_equal(lstat("out/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_holds("out/put/report", "through");
	assert_int_equal(entries("out/put"), 2); /* the report and here/: no temporary file stays */
	assert_int_equal(bh_write_file_atomic("/dev/null", BH_SLICE_LIT("gone"), 0640, &err), BH_OK);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode)); /* not replaced by a file */
	assert_int_equal(bh_write_file_atomic("out", BH_SLICE_LIT("x"), 0640, &err), BH_EIO);
	assert_non_null(strstr(err.text, "out: "));
	assert_true(bh_write_file_atomic("missing/report", BH_SLICE_LIT("x"), 0640, &err) < 0);
	assert_non_null(strstr(err.text, "missing/report"));
}

static struct bh_file_seen see(const char *path)
{
	struct bh_err err = { 0 };
	struct bh_file_seen seen = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(bh_file_see(fd, &seen, &err), BH_OK);
	assert_int_equal(close(fd), 0);
	return seen;
}

/* In place, by another one, gone: what was seen is no more, and nothing is written. */
static void what_changed_meanwhile_stays(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(bh_mkdirs("seen", 0700, &err), BH_OK);
	assert_int_equal(bh_write_file_atomic("seen/a", BH_SLICE_LIT("one"), 0604, &err), BH_OK);
	struct bh_file_seen seen = see("seen/a");
	assert_int_equal(bh_replace_seen("seen/a", &seen, BH_SLICE_LIT("two"), &err), BH_OK);
	assert_holds("seen/a", "two");
	struct stat st;
	assert_int_equal(stat("seen/a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(bh_replace_seen("seen/a", &seen, BH_SLICE_LIT("six"), &err), BH_EIO); /* its own change is one */
	assert_non_null(strstr(err.text, "changed meanwhile"));
	assert_holds("seen/a", "two");
	seen = see("seen/a");
	FILE *f = fopen("seen/a", "a");
	assert_non_null(f);
	assert_true(fputs("!", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(bh_replace_seen("seen/a", &seen, BH_SLICE_LIT("six"), &err), BH_EIO);
	assert_holds("seen/a", "two!");
	seen = see("seen/a");
	assert_int_equal(unlink("seen/a"), 0);
	assert_true(bh_replace_seen("seen/a", &seen, BH_SLICE_LIT("six"), &err) < 0);
	assert_int_equal(entries("seen"), 0);
}

/* A write that fails half-way: RLIMIT_FSIZE everywhere, a full file system where we may mount one. */
static void a_failed_write_leaves_the_old_file(void **state)
{
	(void)state;
	struct bh_err err = { 0 };
	assert_int_equal(bh_mkdirs("small", 0700, &err), BH_OK);
	assert_int_equal(bh_write_file_atomic("small/report", BH_SLICE_LIT("old"), 0600, &err), BH_OK);
	static uint8_t large[1 << 20];
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		struct rlimit little = { 4096, 4096 };
		setrlimit(RLIMIT_FSIZE, &little);
		int rc = bh_write_file_atomic("small/report", (struct bh_slice){ large, sizeof(large) }, 0600, &err);
		_exit(rc == BH_EIO && strstr(err.text, "small/report: write: File too large") ? 0 : 1);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_holds("small/report", "old");
	assert_int_equal(entries("small"), 1);
	if (mount("none", "small", "tmpfs", 0, "size=64k") < 0) {
		print_message("# no permission to mount: the full file system is not tried\n");
		return;
	}
	assert_int_equal(bh_write_file_atomic("small/report", BH_SLICE_LIT("old"), 0600, &err), BH_OK);
	int rc = bh_write_file_atomic("small/report", (struct bh_slice){ large, sizeof(large) }, 0600, &err);
	size_t left = entries("small");
	struct bh_buf b;
	bh_buf_init(&b, 10);
	int read_rc = bh_read_file("small/report", 10, &b, &(struct bh_err){ 0 });
	bool old = bh_slice_eq_str(bh_buf_slice(&b), "old");
	bh_buf_done(&b);
	umount("small");
	assert_int_equal(rc, BH_EIO);
	assert_string_equal(err.text, "small/report: write: No space left on device");
	assert_int_equal(left, 1);
	assert_int_equal(read_rc, BH_OK);
	assert_true(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_walk_agrees_with_the_kernel),
		cmocka_unit_test(nothing_leads_out_of_the_folder),
		cmocka_unit_test(looking_stays_in_the_root_too),
		cmocka_unit_test(only_regular_files_open_and_the_error_says_so),
		cmocka_unit_test(reading_stops_at_the_limit),
		cmocka_unit_test(writing_replaces_the_whole_file),
		cmocka_unit_test(what_changed_meanwhile_stays),
		cmocka_unit_test(a_failed_write_leaves_the_old_file),
	};
	return cmocka_run_group_tests_name("files", tests, setup, teardown);
}
