/* paths_pods.c: facts about pods: what their containers may do to the node, which secrets, tokens and volumes they get. */
#include "kube/paths_collect.h"

struct pod {
	struct paths_collect *c;
	const struct kube_workload *w;
	struct bh_slice name;
	bool host_pid;
};

static int give(const struct pod *p, const char *predicate, struct bh_slice second, struct cel_value at, const char *field)
{
	const struct bh_slice arguments[] = { p->name, second };
	return paths_give(p->c, predicate, arguments, second.len ? 2 : 1, paths_place(p->c, p->w->object, at, field));
}

/* ---- ways out of the container ---- */

/* Capabilities with which a container's root is the node's. SYS_PTRACE needs the node's processes, too. */
bool paths_capability_is_dangerous(struct bh_slice capability, bool host_pid)
{
	static const char *const list[] = { "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "SYS_BOOT", "MAC_ADMIN", NULL };
	if (bh_slice_starts(capability, BH_SLICE_LIT("CAP_")))
		capability = bh_slice_sub(capability, 4, capability.len);
	return bh_slice_is_one_of(capability, list) || (host_pid && bh_slice_eq_str(capability, "SYS_PTRACE"));
}

/* The container's word counts before the pod's. */
static struct cel_value security_of(const struct pod *p, struct cel_value container, const char *field)
{
	struct cel_value own = kube_get(kube_get(container, "securityContext"), field);
	return own.kind == CEL_NULL ? kube_get(kube_get(p->w->spec, "securityContext"), field) : own;
}

/* Another user than root has no capability that is added, unless a program may raise its rights. */
static bool is_confined(const struct pod *p, struct cel_value container)
{
	struct cel_value user = security_of(p, container, "runAsUser"), raise = kube_path(container, "securityContext.allowPrivilegeEscalation");
	bool is_other = user.kind == CEL_INT ? user.integer != 0 : cel_is_true(security_of(p, container, "runAsNonRoot"));
	return is_other && raise.kind == CEL_BOOL && !raise.boolean;
}

static int look_at_security(const struct pod *p, struct cel_value container)
{
	struct cel_value security = kube_get(container, "securityContext"), add = kube_path(security, "capabilities.add");
	int rc = cel_is_true(kube_get(security, "privileged")) ? give(p, "escape", BH_SLICE_LIT("a privileged container"), security, "privileged") : 0;
	for (size_t i = 0; rc == 0 && i < kube_length(add); i++) {
		struct cel_value v = add.list->items[i];
		if (v.kind != CEL_STRING || is_confined(p, container) || !paths_capability_is_dangerous(v.text, p->host_pid))
			continue;
		const char *how = bh_arena_printf(&p->c->f->arena, "the capability %.*s", BH_SLICE_FMT(v.text));
		rc = give(p, "escape", bh_slice_str(how ? how : ""), kube_get(security, "capabilities"), "add");
	}
	return rc;
}

static bool is_below(struct bh_slice path, const char *folder)
{
	struct bh_slice f = bh_slice_str(folder);
	return bh_slice_eq(path, f) || (bh_slice_starts(path, f) && path.ptr[f.len] == '/');
}

static bool is_socket(struct bh_slice path)
{
	static const char *const sockets[] = { "/var/run/docker.sock", "/run/docker.sock", "/run/containerd", "/var/run/containerd", "/run/crio", "/var/run/crio",
					       "/run/podman", "/var/run/podman", "/run/k3s/containerd", "/var/run", "/run", NULL };
	for (size_t i = 0; sockets[i]; i++)
		if (bh_slice_eq_str(path, sockets[i]) || (i < 9 && is_below(path, sockets[i])))
			return true;
	return false;
}

/* Whoever writes there runs code on the node sooner or later: its programs, units, jobs, keys, kubelet, pods and devices. */
static bool is_meaningful(struct bh_slice path)
{
	static const char *const folders[] = { "/etc", "/root", "/home", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/opt/cni",
					       "/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/rancher", "/var/spool/cron", "/var/log", NULL };
	for (size_t i = 0; folders[i]; i++)
		if (is_below(path, folders[i]))
			return true;
	return bh_slice_eq_str(path, "/") || bh_slice_eq_str(path, "/var") || bh_slice_eq_str(path, "/var/lib") || bh_slice_eq_str(path, "/opt");
}

/* Keys of the node that reading is enough for. */
static bool holds_keys(struct bh_slice path)
{
	static const char *const folders[] = { "/", "/etc", "/etc/kubernetes", "/var", "/var/lib", "/var/lib/kubelet", "/root", "/home", "/proc", NULL };
	return bh_slice_is_one_of(path, folders) || is_below(path, "/etc/kubernetes") || is_below(path, "/root/.ssh") || is_below(path, "/var/lib/kubelet/pki");
}

static struct bh_slice clean(struct bh_slice path)
{
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

/* The volume of a container's mount; null. */
static struct cel_value find_volume(const struct pod *p, struct bh_slice name)
{
	struct cel_value volumes = kube_get(p->w->spec, "volumes");
	for (size_t i = 0; i < kube_length(volumes); i++)
		if (bh_slice_eq(kube_text(volumes.list->items[i], "name"), name))
			return volumes.list->items[i];
	return cel_null();
}

int paths_host_path(struct paths_collect *c, struct bh_slice path, bool writable, struct bh_slice *ret)
{
	const char *how = NULL;
	path = clean(path);
	*ret = (struct bh_slice){ 0 };
	if (is_socket(path))
		how = "the runtime's socket in the host path";
	else if (writable && is_meaningful(path))
		how = "the writable host path";
	else if (holds_keys(path))
		how = "the node's keys in the host path";
	if (!how)
		return 0;
	*ret = bh_slice_str(bh_arena_printf(&c->f->arena, "%s %.*s", how, BH_SLICE_FMT(path)));
	return ret->ptr ? 0 : bh_fail(c->err, BH_ELIMIT, 0, "too many host paths");
}

static int look_at_mount(const struct pod *p, struct cel_value mount)
{
	struct cel_value volume = find_volume(p, kube_text(mount, "name")), host = kube_get(volume, "hostPath");
	struct bh_slice how, path = kube_text(host, "path");
	int rc = paths_host_path(p->c, path, !cel_is_true(kube_get(mount, "readOnly")), &how);
	return rc < 0 || how.len == 0 ? rc : give(p, "escape", how, host, "path");
}

/* ---- what the pod gets ---- */

static int give_secret(const struct pod *p, struct cel_value at, const char *field)
{
	struct bh_slice name = kube_text(at, field), namespace = p->w->namespace;
	struct bh_slice secret = paths_name(p->c, namespace, name);
	const struct bh_slice is_in[] = { namespace, secret };
	if (name.len == 0)
		return 0;
	int rc = paths_give(p->c, "secret_in", is_in, 2, (struct bh_slice){ 0 });
	return rc < 0 ? rc : give(p, "holds", secret, at, field);
}

static int give_config(const struct pod *p, struct cel_value at)
{
	struct bh_slice name = kube_text(at, "name"), config = name.len ? paths_config(p->c, p->w->namespace, name) : name;
	return config.len ? give(p, "holds", config, at, "name") : 0;
}

static int look_at_variables(const struct pod *p, struct cel_value container)
{
	struct cel_value one = kube_get(container, "env"), all = kube_get(container, "envFrom");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(one); i++) {
		rc = give_secret(p, kube_path(one.list->items[i], "valueFrom.secretKeyRef"), "name");
		rc = rc < 0 ? rc : give_config(p, kube_path(one.list->items[i], "valueFrom.configMapKeyRef"));
	}
	for (size_t i = 0; rc == 0 && i < kube_length(all); i++) {
		rc = give_secret(p, kube_get(all.list->items[i], "secretRef"), "name");
		rc = rc < 0 ? rc : give_config(p, kube_get(all.list->items[i], "configMapRef"));
	}
	return rc;
}

static int look_at_volumes(const struct pod *p, bool *projects_token)
{
	struct cel_value volumes = kube_get(p->w->spec, "volumes");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(volumes); i++) {
		struct cel_value v = volumes.list->items[i], sources = kube_path(v, "projected.sources"), claim = kube_get(v, "persistentVolumeClaim");
		rc = give_secret(p, kube_get(v, "secret"), "secretName");
		rc = rc < 0 ? rc : give_config(p, kube_get(v, "configMap"));
		for (size_t k = 0; rc == 0 && k < kube_length(sources); k++) {
			*projects_token |= kube_get(sources.list->items[k], "serviceAccountToken").kind == CEL_MAP;
			rc = give_secret(p, kube_get(sources.list->items[k], "secret"), "name");
			rc = rc < 0 ? rc : give_config(p, kube_get(sources.list->items[k], "configMap"));
		}
		if (rc == 0 && kube_text(claim, "claimName").len)
			rc = give(p, "mounts", paths_name(p->c, p->w->namespace, kube_text(claim, "claimName")), claim, "claimName");
	}
	return rc;
}

static const struct kube_object *find_account(const struct paths_collect *c, struct bh_slice namespace, struct bh_slice name)
{
	const struct kube_kind accounts = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("ServiceAccount"));
	for (size_t i = 0; i < accounts.n; i++)
		if (bh_slice_eq(accounts.objects[i]->name, name) && bh_slice_eq(kube_namespace(accounts.objects[i]), namespace))
			return accounts.objects[i];
	return NULL;
}

/* The pod's word counts, then the service account's; without any the token is mounted. */
static bool mounts_token(const struct pod *p, struct bh_slice account)
{
	const struct kube_object *o = find_account(p->c, p->w->namespace, account);
	struct cel_value own = kube_get(p->w->spec, "automountServiceAccountToken"), of_account = cel_null();
	if (o)
		of_account = kube_get(o->value, "automountServiceAccountToken");
	if (own.kind == CEL_BOOL)
		return own.boolean;
	return of_account.kind != CEL_BOOL || of_account.boolean;
}

static int look_at_account(const struct pod *p, bool projects_token)
{
	struct bh_slice name = kube_text(p->w->spec, "serviceAccountName");
	const char *field = name.len ? "serviceAccountName" : "serviceAccount";
	name = name.len ? name : kube_text(p->w->spec, field);
	name = name.len ? name : BH_SLICE_LIT("default");
	struct bh_slice account = paths_name(p->c, p->w->namespace, name);
	const struct bh_slice is_in[] = { p->w->namespace, account };
	int rc = paths_give(p->c, "account_in", is_in, 2, (struct bh_slice){ 0 });
	return rc < 0 || !(projects_token || mounts_token(p, name)) ? rc : give(p, "token", account, p->w->spec, field);
}

static int look_at_containers(const struct pod *p, const char *list)
{
	struct cel_value containers = kube_get(p->w->spec, list);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(containers); i++) {
		struct cel_value container = containers.list->items[i], mounts = kube_get(container, "volumeMounts");
		rc = look_at_security(p, container);
		rc = rc < 0 ? rc : look_at_variables(p, container);
		for (size_t k = 0; rc == 0 && k < kube_length(mounts); k++)
			rc = look_at_mount(p, mounts.list->items[k]);
	}
	return rc;
}

static int look_at_pod(const struct pod *p)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	const struct bh_slice in[] = { p->w->namespace, p->name };
	bool projects_token = false;
	int rc = paths_give(p->c, "pod_in", in, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(p->c, "namespace", &p->w->namespace, 1, (struct bh_slice){ 0 });
	if (rc == 0 && cel_is_true(kube_get(p->w->spec, "hostNetwork")))
		rc = give(p, "host_network", (struct bh_slice){ 0 }, p->w->spec, "hostNetwork");
	for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(*lists); i++)
		rc = look_at_containers(p, lists[i]);
	rc = rc < 0 ? rc : look_at_volumes(p, &projects_token);
	return rc < 0 ? rc : look_at_account(p, projects_token);
}

int paths_find_pods(struct paths_collect *c)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->workloads.len; i++) {
		const struct kube_workload *w = &c->workloads.ptr[i];
		const struct pod p = { c, w, paths_name(c, w->namespace, w->name), cel_is_true(kube_get(w->spec, "hostPID")) };
		rc = look_at_pod(&p);
		kube_say_progress(c->asked, i);
	}
	return rc;
}
