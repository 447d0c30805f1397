/*
 * test_agent.c: containers by the names of their groups, what managers say of them, processes and their parents, arguments as texts. Names of groups are those of the field's container managers; descriptions
 * are cut from what Docker 20.10, Podman 4.3 and containerd 1.6 wrote; texts of arguments follow falcosecurity/libs.
 */
#include "agent/container.h"
#include "agent/facts.h"
#include "agent/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static void assert_slice(struct bh_slice s, const char *expected)
{
	assert_int_equal(s.len, strlen(expected));
	assert_memory_equal(s.ptr, expected, s.len);
}

static void ids(void **state)
{
	static const struct {
		const char *path, *id, *type;
	} cases[] = {
		{ "/docker/" ID, ID, "docker" },
		{ "/system.slice/docker-" ID ".scope", ID, "docker" },
		{ "/kubepods/burstable/pod2ab3/" ID, ID, "containerd" },
		{ "/kubepods.slice/kubepods-pod2ab3.slice/cri-containerd-" ID ".scope", ID, "containerd" },
		{ "/kubepods.slice/kubepods-pod2ab3.slice/crio-" ID ".scope", ID, "cri-o" },
		{ "/machine.slice/libpod-" ID ".scope", ID, "podman" },
		{ "/machine.slice/libpod-" ID ".scope/container", ID, "podman" },
		{ "/libpod_parent/libpod-" ID, ID, "podman" },
		{ "/user.slice/nerdctl-" ID ".scope", ID, "containerd" },
		{ "/default/" ID, ID, "containerd" },
		{ "/docker/" ID "/docker/" OTHER, OTHER, "docker" },
		{ "/docker/" ID "/init.scope", ID, "docker" },
		{ "/docker/0011", "", NULL },
		{ "/docker/" ID "0", "", NULL },
		{ "/system.slice/ssh.service", "", NULL },
		{ "/system.slice/docker-nothing.scope", "", NULL },
		{ "/", "", NULL },
		{ "", "", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *type = NULL;
		assert_slice(agent_container_id(bh_slice_str(cases[i].path), &type), cases[i].id);
		if (cases[i].type)
			assert_string_equal(type, cases[i].type);
	}
}

static struct agent_container *only(struct agent_containers *c)
{
	struct bh_err err = { 0 };
	assert_int_equal(agent_containers_init(c, &err), 0);
	agent_group_add(c, 5, BH_SLICE_LIT("/docker/" ID));
	agent_group_add(c, 6, BH_SLICE_LIT("/docker/" ID "/below"));
	agent_group_add(c, 7, BH_SLICE_LIT("/system.slice"));
	return agent_group_find(c, 5)->container;
}

static void groups(void **state)
{
	struct agent_containers c;
	struct agent_container *own = only(&c);
	(void)state;
	assert_ptr_equal(agent_group_find(&c, 6)->container, own);
	assert_null(agent_group_find(&c, 7)->container);
	assert_null(agent_group_find(&c, 8));
	agent_group_remove(&c, 5);
	assert_null(agent_group_find(&c, 5));
	assert_string_equal(agent_group_find(&c, 6)->container->id, ID);
	agent_group_remove(&c, 6);
	agent_group_remove(&c, 6);
	assert_int_equal(c.n_groups, 1);
	agent_containers_done(&c);
}

static void descriptions(void **state)
{
	static const char docker[] = "{\"Id\":\"" ID "\",\"Name\":\"/shop\",\"Image\":\"sha256:1\",\"State\":{\"StartedAt\":\"2026-11-28T11:31:29.5Z\"},"
				     "\"HostConfig\":{\"Privileged\":true,\"PidMode\":\"host\",\"NetworkMode\":\"none\",\"IpcMode\":\"private\"},"
				     "\"Mounts\":[{\"Source\":\"/srv\",\"Destination\":\"/data\",\"Mode\":\"ro\",\"RW\":false,\"Propagation\":\"rprivate\"}],"
				     "\"Config\":{\"Image\":\"r.example:5000/team/shop:1.0@sha256:2\",\"Labels\":{\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":\"n\"}}}";
	static const char podman[] = "[{\"id\":\"" OTHER "\"},{\"id\":\"" ID "\",\"names\":[\"web\"],\"image\":\"3\",\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/nginx:1\\\"}\"}]";
	static const char oci[] = "{\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"]}},\"mounts\":[{\"destination\":\"/proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"ro\"]}],"
				  "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"}]},"
				  "\"annotations\":{\"io.kubernetes.cri.container-name\":\"c\",\"io.kubernetes.cri.image-name\":\"i:2\",\"io.kubernetes.cri.sandbox-namespace\":\"ns\"}}";
	static const struct {
		enum agent_manager manager;
		const char *json, *name, *image, *digest, *ns;
		bool is_privileged, host_pid, host_ipc;
	} cases[] = {
		{ AGENT_DOCKER, docker, "shop", "r.example:5000/team/shop:1.0@sha256:2", "sha256:2", "n", true, true, false },
		{ AGENT_PODMAN, podman, "web", "docker.io/library/nginx:1", "", "", false, false, false },
		{ AGENT_OCI, oci, "c", "i:2", "", "ns", false, false, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent_containers all;
		struct agent_container *c = only(&all);
		assert_true(agent_container_describe(c, cases[i].manager, bh_slice_str(cases[i].json)));
		assert_slice(c->name, cases[i].name);
		assert_slice(c->image, cases[i].image);
		assert_slice(c->image_digest, cases[i].digest);
		assert_slice(c->pod_namespace, cases[i].ns);
		assert_int_equal(c->is_privileged, cases[i].is_privileged);
		assert_int_equal(c->host_pid, cases[i].host_pid);
		assert_int_equal(c->host_ipc, cases[i].host_ipc);
		agent_containers_done(&all);
	}
	struct agent_containers all;
	struct agent_container *c = only(&all);
	assert_false(agent_container_describe(c, AGENT_DOCKER, BH_SLICE_LIT("{\"Id\":")));
	assert_false(agent_container_describe(c, AGENT_DOCKER, BH_SLICE_LIT("[]")));
	assert_false(agent_container_describe(c, AGENT_PODMAN, BH_SLICE_LIT("[{\"id\":\"" OTHER "\"}]")));
	assert_false(agent_container_describe(c, AGENT_NOBODY, BH_SLICE_LIT("{}")));
	assert_true(agent_container_describe(c, AGENT_DOCKER, bh_slice_str(docker)));
	assert_int_equal(c->started_ns, 1795865489500000000ull); /* date -d 2026-11-28T11:31:29.5Z +%s%N */
	assert_int_equal(c->n_mounts, 1);
	assert_false(c->mounts[0].is_writable);
	agent_containers_done(&all);
}

/* ---- processes ---- */

static struct agent_process *record(struct agent_processes *p, enum guard_kind kind, uint32_t pid, uint64_t start, uint32_t parent, uint64_t parent_start, const char *comm)
{
	struct {
		struct guard_record head;
		char strings[64];
	} r = { .head = { .kind = (uint16_t)kind, .pid = pid, .tid = pid, .start_ns = start, .parent_pid = parent, .parent_start_ns = parent_start } };
	r.head.bytes = sizeof(r);
	r.head.string_bytes[GUARD_STRING_COMM] = (uint16_t)strlen(comm);
	r.head.string_bytes[GUARD_STRING_PATH] = (uint16_t)strlen(comm);
	memcpy(r.strings, comm, strlen(comm));
	assert_true(agent_record_is_whole(&r.head, sizeof(r)));
	return agent_process_of(p, &r.head);
}

static void parents(void **state)
{
	struct agent_processes p;
	struct bh_err err = { 0 };
	(void)state;
	assert_int_equal(agent_processes_init(&p, &err), 0);
	struct agent_process *init = record(&p, GUARD_KIND_EXEC, 1, 10, 0, 0, "init"), *shell = record(&p, GUARD_KIND_EXEC, 50, 100, 1, 10, "sh"), *cat = record(&p, GUARD_KIND_FORK, 51, 200, 50, 100, "sh");
	assert_ptr_equal(cat->parent, shell);
	assert_ptr_equal(cat->program, shell->program); /* until it runs something else */
	record(&p, GUARD_KIND_EXEC, 51, 200, 50, 100, "cat");
	assert_slice(cat->program->path, "cat");
	assert_slice(shell->program->path, "sh");
	record(&p, GUARD_KIND_EXIT, 50, 100, 1, 10, "sh");
	assert_null(agent_process_find(&p, 50));
	assert_ptr_equal(cat->parent, shell); /* known although it has ended */
	record(&p, GUARD_KIND_CALL, 51, 200, 1, 10, "cat");
	assert_ptr_equal(cat->parent, init); /* which has taken it over */
	struct agent_process *other = record(&p, GUARD_KIND_EXEC, 50, 300, 1, 10, "other");
	assert_ptr_not_equal(other, shell); /* the number is another process's now */
	assert_ptr_equal(agent_process_find(&p, 50), other);
	agent_processes_done(&p);
}

/* Many that come and go leave only so many behind. */
static void ends(void **state)
{
	struct agent_processes p;
	struct bh_err err = { 0 };
	(void)state;
	assert_int_equal(agent_processes_init(&p, &err), 0);
	record(&p, GUARD_KIND_EXEC, 1, 10, 0, 0, "init");
	for (uint32_t i = 0; i < 20000; i++) {
		record(&p, GUARD_KIND_EXEC, 2 + i % 1000, 100 + i, 1, 10, "short");
		record(&p, GUARD_KIND_EXIT, 2 + i % 1000, 100 + i, 1, 10, "short");
	}
	assert_int_equal(p.n, 1 + AGENT_ENDED_MAX);
	assert_int_equal(p.n_forgotten, 0);
	agent_processes_done(&p);
}

static void scans(void **state)
{
	struct agent_processes p;
	struct bh_err err = { 0 };
	char name[64] = { 0 };
	int fd = open("/proc/self/comm", O_RDONLY);
	ssize_t n = read(fd, name, sizeof(name) - 1);
	(void)state;
	assert_true(n > 1);
	name[n - 1] = '\0';
	(void)close(fd);
	assert_int_equal(agent_processes_init(&p, &err), 0);
	assert_int_equal(agent_processes_scan(&p, &err), 0);
	const struct agent_process *own = agent_process_find(&p, (uint32_t)getpid());
	assert_non_null(own);
	assert_string_equal(own->comm, name);
	assert_int_equal(own->parent->pid, getppid());
	assert_false(agent_process_kill((uint32_t)getpid(), own->start_ns)); /* itself it does not */
	agent_processes_done(&p);
}

static void killing(void **state)
{
	struct agent_processes p;
	struct bh_err err = { 0 };
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	assert_int_equal(agent_processes_init(&p, &err), 0);
	assert_int_equal(agent_processes_scan(&p, &err), 0);
	uint64_t start = agent_process_find(&p, (uint32_t)pid)->start_ns;
	assert_false(agent_process_kill((uint32_t)pid, start + 1000000000)); /* another one that had its number */
	assert_int_equal(kill(pid, 0), 0);
	assert_true(agent_process_kill((uint32_t)pid, start));
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_false(agent_process_kill((uint32_t)pid, start));
	agent_processes_done(&p);
}

/* ---- arguments ---- */

static void arguments(void **state)
{
	static const struct {
		enum agent_form form;
		uint64_t value;
		const char *text;
	} cases[] = {
		{ AGENT_OPEN, O_RDONLY, "O_RDONLY" },
		{ AGENT_OPEN, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC" },
		{ AGENT_OPEN, O_RDWR, "O_RDWR" },
		{ AGENT_MODE, 04755, "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID" },
		{ AGENT_MODE, 0, "0" },
		{ AGENT_FD, (uint64_t)AT_FDCWD, "AT_FDCWD" },
		{ AGENT_FD, 0xffffff9c, "AT_FDCWD" },
		{ AGENT_FD, 3, "3" },
		{ AGENT_NUMBER, 0xffffffff, "-1" },
		{ AGENT_CLONE, 0x10020000, "CLONE_NEWNS|CLONE_NEWUSER" },
		{ AGENT_PTRACE, 16, "PTRACE_ATTACH" },
		{ AGENT_PTRACE, 0x4206, "PTRACE_SEIZE" },
		{ AGENT_PTRACE, 12345678, "12345678" },
		{ AGENT_BPF, 5, "BPF_PROG_LOAD" },
		{ AGENT_BPF, 500, "500" },
		{ AGENT_FAMILY, 17, "AF_PACKET" },
		{ AGENT_HEX, 4096, "0x1000" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct guard_record r = { .arguments = { cases[i].value } };
		const struct agent_parameter p = { "x", cases[i].form, 1 };
		struct bh_buf b;
		bh_buf_init(&b, 4096);
		assert_true(agent_argument_text(&r, &p, &b));
		assert_slice(bh_buf_slice(&b), cases[i].text);
		bh_buf_done(&b);
	}
	struct bh_buf b;
	char text[32];
	bh_buf_init(&b, 4096);
	agent_capability_names(1u << 21 | 1u, &b);
	assert_slice(bh_buf_slice(&b), "CAP_CHOWN CAP_SYS_ADMIN");
	bh_buf_done(&b);
	assert_string_equal(agent_errno_name(-13, text), "EACCES");
	assert_string_equal(agent_errno_name(-517, text), "#517");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids), cmocka_unit_test(groups), cmocka_unit_test(descriptions), cmocka_unit_test(parents), cmocka_unit_test(ends), cmocka_unit_test(scans), cmocka_unit_test(killing), cmocka_unit_test(arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
