/* deeds.c: what attackers do, for tests/live/guard.py: deeds WHAT [ARGUMENT...]. Static, so that it runs in any image. Ends with 0 when the deed was done. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REFUSED 77 /* exit status of what ended in EPERM */

static int copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	return from < 0 || fstat(from, &st) < 0 || sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size;
}

static int in_memory(char **argv)
{
	(void)argv;
	int fd = memfd_create("program", 0);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || copy_self(fd))
		return 1;
	execl(path, "program", "nothing", NULL);
	return 1;
}

static int attach(char **argv)
{
	(void)argv;
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int rc = ptrace(PTRACE_ATTACH, pid, 0, 0), was = errno;
	if (rc == 0)
		waitpid(pid, NULL, 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	errno = was;
	return rc < 0;
}

static int trace_me(char **argv)
{
	(void)argv;
	return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0;
}

static int packet(char **argv)
{
	(void)argv;
	return socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) < 0;
}

static int connected(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0); /* nobody needs to listen */
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

/* To a server that this program is itself. */
static int connect_stream(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	return bind(server, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(server, 1) < 0 || connect(client, (struct sockaddr *)&to, sizeof(to)) < 0;
}

static int connect_to(char **argv)
{
	return connected(argv) < 0;
}

static int redirect(char **argv)
{
	int fd = connected(argv);
	return fd < 0 || dup2(fd, 0) < 0;
}

static int message_to(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0;
}

static int load_module(char **argv)
{
	(void)argv;
	return syscall(SYS_init_module, "garbage", 7, "") == 0; /* it is none, so it fails */
}

static int open_late(char **argv)
{
	sleep(6);
	return open(argv[0], O_RDONLY) < 0;
}

static int open_it(char **argv)
{
	return open(argv[0], O_RDONLY) < 0;
}

static int run(char **argv)
{
	pid_t pid = fork();
	int status = 1;
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

/* A name that another thread changes while the kernel reads it: what is opened is what the kernel took. */
static volatile int flips = 1;
static volatile char flipping[32] = "/etc/passwd";

static int flip(void *unused)
{
	(void)unused;
	while (flips) {
		for (int i = 0; i < 6; i++)
			flipping[5 + i] = "shadow"[i];
		for (int i = 0; i < 6; i++)
			flipping[5 + i] = "passwd"[i];
	}
	return 0;
}

static int open_flipping(char **argv)
{
	int n = atoi(argv[0]), shadows = 0;
	char *stack = malloc(65536);
	struct stat secret, own;
	stat("/etc/shadow", &secret);
	int thread = clone(flip, stack + 65536, CLONE_VM | SIGCHLD, NULL);
	for (time_t end = time(NULL) + 15; shadows < n && time(NULL) < end;) {
		int fd = open((const char *)flipping, O_RDONLY);
		shadows += fd >= 0 && fstat(fd, &own) == 0 && own.st_ino == secret.st_ino;
		close(fd);
		usleep(100); /* what is tried is not how many events there can be */
	}
	flips = 0;
	waitpid(thread, NULL, 0);
	printf("%d\n", shadows);
	return 0;
}

static int flood(char **argv)
{
	for (int n = atoi(argv[0]); n > 0; n--)
		close(open("/etc/hostname", O_RDONLY));
	return 0;
}

static int leave_copy(char **argv)
{
	int to = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0755);
	int bad = to < 0 || copy_self(to);
	close(to);
	return bad;
}

/* Says that it ran: what the guard kills before its first instruction does not. */
static int mark(char **argv)
{
	int fd = open(argv[0], O_WRONLY | O_CREAT, 0644);
	return fd < 0;
}

/* Code that was mapped as data first. */
static int late(char **argv)
{
	int fd = open(argv[0], O_RDONLY);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	return fd < 0 || at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0;
}

static int as_user(char **argv)
{
	uid_t uid = (uid_t)atoi(argv[0]);
	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return 1;
	execvp(argv[1], argv + 1);
	return 1;
}

static int own_users(char **argv)
{
	(void)argv;
	return unshare(CLONE_NEWUSER) < 0;
}

static int pause_child(void *unused)
{
	(void)unused;
	return pause();
}

static int clone_users(char **argv)
{
	(void)argv;
	pid_t pid = clone(pause_child, (char *)malloc(65536) + 65536, CLONE_NEWUSER | SIGCHLD, NULL);
	int was = errno;
	if (pid > 0)
		kill(pid, SIGKILL);
	errno = was;
	return pid < 0;
}

static int write_it(char **argv)
{
	return open(argv[0], O_WRONLY) < 0;
}

static int create_map(char **argv)
{
	char attributes[72] = { 2, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1 }; /* BPF_MAP_TYPE_ARRAY, keys and values of 4 bytes, one of them */
	(void)argv;
	return syscall(SYS_bpf, 0, attributes, sizeof(attributes)) < 0;
}

static int port(char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[0])) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0;
}

/* A manager's socket, which it is itself. */
static int manager(char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[0]);
	unlink(argv[0]);
	return bind(server, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(server, 1) < 0 || connect(client, (struct sockaddr *)&at, sizeof(at)) < 0;
}

static int write_memory(char **argv)
{
	static char here[8];
	(void)argv;
	pid_t pid = fork();
	if (pid == 0)
		return pause();
	struct iovec own = { "x", 1 }, others = { here, 1 };
	ssize_t n = process_vm_writev(pid, &own, 1, &others, 1, 0);
	int was = errno;
	kill(pid, SIGKILL);
	errno = was;
	return n < 0;
}

/* A file that io_uring opens: no call of this program has its name. */
static int ring(char **argv)
{
	struct io_uring_params p = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 1, &p);
	if (fd < 0)
		return 1;
	char *queue = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	char *done = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	struct io_uring_sqe *entry = mmap(NULL, sizeof(*entry) * p.sq_entries, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	*entry = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (unsigned long)argv[0], .open_flags = O_RDONLY };
	((unsigned *)(queue + p.sq_off.array))[0] = 0;
	*(volatile unsigned *)(queue + p.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return 1;
	int result = ((struct io_uring_cqe *)(done + p.cq_off.cqes))->res;
	errno = result < 0 ? -result : 0;
	return result < 0;
}

/* open() by the numbers of 32-bit programs; the program lies below 4 GiB, so its strings do. */
static int old_open(char **argv)
{
#if defined(__x86_64__)
	static char path[256];
	long result;
	snprintf(path, sizeof(path), "%s", argv[0]);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(5L), "b"(path), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
	errno = (int)result < 0 ? -(int)result : 0;
	return (int)result < 0;
#else
	(void)argv;
	return 1;
#endif
}

/* GROUP ROOT COMMAND...: as a container's process; its root is moved over the first one, which can't be left in another way where it is the kernel's own. */
static int enter(char **argv)
{
	char path[256], number[16];
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[0]);
	int fd = open(path, O_WRONLY), n = snprintf(number, sizeof(number), "%d", (int)getpid());
	if (fd < 0 || write(fd, number, (size_t)n) != n || close(fd) < 0)
		return 1;
	if (unshare(CLONE_NEWNS) < 0 || chdir(argv[1]) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return 1;
	execvp(argv[2], argv + 2);
	return 1;
}

static int nothing(char **argv)
{
	(void)argv;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*deed)(char **argv);
	} deeds[] = {
		{ "memory", in_memory }, { "attach", attach }, { "trace-me", trace_me }, { "packet", packet }, { "connect", connect_to }, { "connect-stream", connect_stream }, { "redirect", redirect }, { "message", message_to },
		{ "module", load_module }, { "open-late", open_late }, { "open", open_it }, { "run", run }, { "flip", open_flipping }, { "copy", leave_copy }, { "flood", flood }, { "mark", mark }, { "late", late }, { "as", as_user },
		{ "own-users", own_users }, { "clone-users", clone_users }, { "write", write_it }, { "map", create_map }, { "port", port }, { "manager", manager }, { "write-memory", write_memory }, { "ring", ring }, { "old-open", old_open }, { "enter", enter }, { "nothing", nothing },
	};
	for (size_t i = 0; argc > 1 && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(argv[1], deeds[i].name) == 0)
			return deeds[i].deed(argv + 2) ? (errno == EPERM ? REFUSED : 1) : 0;
	return 2;
}
