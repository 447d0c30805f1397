/*
 * component.h: the components of a cluster that can be seen: processes of a node, static pods, units of systemd, pods of a dump; and the container engines of a
 * node. Each is an instance with its arguments and configuration files; settings (settings.c) are looked up in it.
 */
#ifndef BH_COMPLY_COMPONENT_H
#define BH_COMPLY_COMPONENT_H

#include "comply/host.h"
#include "comply/words.h"
#include "kube/objects.h"

/* From CONTAINERD on engines, whose files engines.c finds; from PROGRAMS on kinds of files, which no process stands for. */
enum component { APISERVER, CONTROLLER_MANAGER, SCHEDULER, ETCD, KUBELET, PROXY, CONTAINERD, CRIO, PROGRAMS, CONTAINERD_HOSTS = PROGRAMS, PODMAN, PODMAN_STORAGE, PODMAN_REGISTRIES,
		 PODMAN_POLICY, COMPONENTS };

const char *component_name(enum component c); /* of the program: "kube-apiserver" */

struct component_argument {
	struct bh_slice name, value, file; /* name without dashes, "_" as "-" */
	bool has_value;
	uint32_t line;
};
BH_VEC(component_argument_vec, struct component_argument)

/* A document of settings. */
struct component_config {
	struct bh_slice file;
	struct cel_value root;
	const struct kube_tree *tree;
};
BH_VEC(component_config_vec, struct component_config)

struct component_instance {
	enum component component;
	struct bh_slice origin;              /* "process 812", or the file */
	bool knows_arguments;                /* false: only its configuration was given */
	struct component_argument_vec arguments;
	struct bh_slice arguments_problem;   /* why there may be more of them; empty: there are not */
	struct component_config_vec configs; /* of its flag --config, later ones win */
	struct bh_slice config_problem;      /* why the file of --config is not among them; empty: it is, or there is none */
};
BH_VEC(component_instance_vec, struct component_instance)

enum node_syntax { NODE_YAML /* and JSON */, NODE_TOML };

/* A file that a flag names, read once. */
struct node_file {
	struct bh_slice path;
	enum node_syntax syntax;
	int code;                            /* of reading it; 0: there is a root */
	struct bh_slice problem;
	struct component_config config;
};
BH_VEC(node_file_vec, struct node_file *)
BH_VEC(node_tree_vec, struct kube_tree *)

struct bh_yaml;
BH_VEC(node_yaml_vec, struct bh_yaml *)

struct bh_toml;
BH_VEC(node_toml_vec, struct bh_toml *)

struct node {
	const struct comply_host *host;
	const struct kube_object_vec *objects; /* that were given */
	struct kube_set *own;                  /* the manifests of the node's static pods */
	const struct comply_options *options;  /* minor, without */
	struct bh_arena arena;
	struct bh_slice problem;               /* the first file or folder that may tell of a component and was not read; empty: there is none */
	struct component_instance_vec instances;
	struct node_file_vec files;
	struct node_tree_vec trees;
	struct node_yaml_vec yamls;
	struct node_toml_vec tomls;
};

int node_init(struct node *n, const struct comply_host *host, const struct kube_object_vec *objects, const struct comply_options *options, struct bh_err *err) BH_MUST_CHECK;
void node_done(struct node *n);

/* Finds all instances. */
int node_find_components(struct node *n, struct bh_err *err) BH_MUST_CHECK;

/* The last argument of that name; NULL when there is none. */
const struct component_argument *component_argument(const struct component_instance *i, struct bh_slice name);

/* The configuration at a path of the node, read once; NULL config.tree and a problem when that did not work. */
int node_config(struct node *n, struct bh_slice path, enum node_syntax syntax, const struct node_file **ret, struct bh_err *err) BH_MUST_CHECK;

/* A text of YAML as a document of settings. BH_EMALFORMED: it is none. */
int node_parse(struct node *n, struct bh_slice file, struct bh_slice text, struct component_config *ret, struct bh_err *err) BH_MUST_CHECK;

/* The parts of component.c that rancher.c builds its instances with. */
int component_add(struct node *n, enum component c, struct bh_slice origin, bool knows_arguments, struct component_instance **ret, struct bh_err *err) BH_MUST_CHECK;
int component_add_words(struct node *n, struct component_instance *in, const struct comply_word *words, size_t n_words, struct bh_err *err) BH_MUST_CHECK;
bool node_has_component(const struct node *n, enum component c);

/* The unit of that name with its drop-ins and the variables of its environment files; *found: there is one. `unit` is the caller's to end. */
int node_read_unit(struct node *n, const char *name, struct comply_unit *unit, bool *found, struct bh_err *err) BH_MUST_CHECK;

/* A text of the node. *problem: why it was not read; empty when it was, or is absent (then the text is empty too). */
int node_read(struct node *n, struct bh_slice path, struct bh_slice *ret, struct bh_slice *problem, struct bh_err *err) BH_MUST_CHECK;

/* The names in a folder; one that must not be listed is noted in n->problem. */
int node_list(struct node *n, struct bh_slice folder, struct host_name_vec *names, struct bh_err *err) BH_MUST_CHECK;

int node_no_memory(struct bh_err *err);

#endif
