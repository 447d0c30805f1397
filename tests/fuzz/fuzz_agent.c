/*
 * fuzz_agent.c: any bytes as records of the kernel programs, one behind the other, and as what a manager says of the container that all of them are of. What is recorded of an event is JSON
 * that can be read again, and has the event's type.
 *
 *   offset size
 *        0    2  bytes of the description
 *        2    -  the description (agent/describe.h), the records
 */
#include "agent/describe.h"
#include "agent/facts.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

#define GROUP 7u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(const struct agent_event *e)
{
	struct bh_json *doc = NULL;
	struct bh_err err = { 0 };
	struct bh_buf line;
	struct bh_slice type = agent_event_type(e);
	bh_buf_init(&line, 64u << 20);
	agent_event_json(e, &line);
	if (line.len) {
		if (bh_json_parse(bh_buf_slice(&line), 64u << 20, &doc, &err) < 0)
			abort();
		if (type.len && !bh_slice_eq(bh_json_str(bh_json_get(bh_json_root(doc), "evt.type")), type))
			abort();
		bh_json_free(doc);
	}
	bh_buf_done(&line);
}

/* Numbers of bytes in a record may be anything; a whole one is not longer than what is left. */
static size_t take(struct agent_host *host, struct agent_processes *processes, struct agent_containers *containers, struct bh_slice rest, struct bh_arena *arena)
{
	struct guard_record *r = malloc(rest.len); /* aligned, and its end is where reading ends */
	if (!r)
		return rest.len;
	memcpy(r, rest.ptr, rest.len);
	size_t used = agent_record_is_whole(r, rest.len) ? r->bytes : 0;
	if (used && (r->kind == GUARD_KIND_GROUP)) {
		agent_group_add(containers, r->cgroup, agent_string(r, GUARD_STRING_PATH));
	} else if (used && r->kind == GUARD_KIND_GROUP_END) {
		agent_group_remove(containers, r->cgroup);
	} else if (used) {
		const struct agent_process *p = agent_process_of(processes, r);
		const struct agent_group *group = agent_group_find(containers, GROUP);
		const struct agent_event e = { .record = r, .process = p, .container = group ? group->container : NULL, .group_is_known = true,
					       .call = r->kind == GUARD_KIND_CALL ? agent_call_at(r->call % 70) : NULL, .host = host, .number = 1, .arena = arena };
		check_event(&e);
		bh_arena_clear(arena);
	}
	free(r);
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_processes processes;
	struct agent_containers containers;
	struct agent_host host = { .boot_ns = 1, .name = "host", .processes = &processes, .passwd = BH_SLICE_LIT("root:x:0:0::/:/bin/sh\n") };
	struct bh_arena arena;
	struct bh_err err = { 0 };
	if (size < 2 || agent_processes_init(&processes, &err) < 0 || agent_containers_init(&containers, &err) < 0)
		return 0;
	size_t described = (size_t)data[0] | (size_t)data[1] << 8;
	struct bh_slice rest = { data + 2, size - 2 };
	bh_arena_init(&arena, 256u << 20);
	agent_group_add(&containers, GROUP, BH_SLICE_LIT("/docker/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
	const struct agent_group *group = agent_group_find(&containers, GROUP);
	if (!group || !group->container)
		abort();
	(void)agent_description_take(group->container, bh_slice_sub(rest, 0, described));
	rest = bh_slice_sub(rest, described, rest.len);
	for (size_t used = 1; used && rest.len >= sizeof(struct guard_record); rest = bh_slice_sub(rest, used, rest.len))
		used = take(&host, &processes, &containers, rest, &arena);
	bh_arena_done(&arena);
	agent_processes_done(&processes);
	agent_containers_done(&containers);
	return 0;
}
