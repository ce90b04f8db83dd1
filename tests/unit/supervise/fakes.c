/* What stands in place of network, images, link and workers: tables of `node`, each change with a moment before it and
 * one after. And moments around the calls of what is real. */
#include "tests/unit/supervise/node.h"

#include "base/clock.h"
#include "base/file.h"
#include "node-agent/supervise/record.h"
#include "tests/unit/unit.h"

#include <string.h>

/* ---- moments around real calls: the linker's --wrap ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker names them */
#define WRAP(name, parameters, arguments)    \
    bool __real_##name parameters;           \
    bool __wrap_##name parameters;           \
    bool __wrap_##name parameters            \
    {                                        \
        node_moment("before " #name);        \
        bool done = __real_##name arguments; \
        node_moment("after " #name);         \
        return done;                         \
    }
/* One that fails as often as the script says, before anything was done. */
#define TROUBLED(name, failing, parameters, arguments)                                       \
    bool __real_##name parameters;                                                           \
    bool __wrap_##name parameters;                                                           \
    bool __wrap_##name parameters                                                            \
    {                                                                                        \
        node_moment("before " #name);                                                        \
        bool troubled = node->script.failing > 0;                                            \
        node->script.failing -= troubled;                                                    \
        bool done = troubled ? err_set(err, ERR_IO, "no process") : __real_##name arguments; \
        node_moment("after " #name);                                                         \
        return done;                                                                         \
    }
WRAP(file_replace,
     (const char *path, const char *bytes, size_t size, mode_t mode, bool durable, struct err *err),
     (path, bytes, size, mode, durable, err))
WRAP(file_remove_tree, (const char *path, struct err *err), (path, err))
WRAP(record_mark_run,
     (const char *folder, const char *container, int64_t incarnation, struct err *err),
     (folder, container, incarnation, err))
WRAP(meter_begin,
     (struct meter * meter, const char *uid, int64_t incarnation,
      const struct meter_amounts *amounts, int64_t at_ms, struct err *err),
     (meter, uid, incarnation, amounts, at_ms, err))
WRAP(meter_end,
     (struct meter * meter, const char *uid, int64_t incarnation, int64_t at_ms, struct err *err),
     (meter, uid, incarnation, at_ms, err))
WRAP(meter_resume,
     (struct meter * meter, const char *uid, int64_t incarnation, bool still_held, int64_t ended_ms,
      struct err *err),
     (meter, uid, incarnation, still_held, ended_ms, err))
WRAP(runtime_group_up,
     (struct runtime * runtime, const struct runtime_group *group, struct err *err),
     (runtime, group, err))
WRAP(runtime_group_down, (struct runtime * runtime, const char *uid, struct err *err),
     (runtime, uid, err))
TROUBLED(runtime_create, creates_failing,
         (struct runtime * runtime, const struct runtime_container *container, struct err *err),
         (runtime, container, err))
TROUBLED(runtime_start, starts_failing,
         (struct runtime * runtime, const char *uid, const char *name, int64_t *started_ms,
          struct err *err),
         (runtime, uid, name, started_ms, err))
WRAP(runtime_signal,
     (struct runtime * runtime, const char *uid, const char *name, int number, struct err *err),
     (runtime, uid, name, number, err))
WRAP(runtime_remove, (struct runtime * runtime, const char *uid, const char *name, struct err *err),
     (runtime, uid, name, err))
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* What the test wants to fail. */
static bool fails(enum job_part part, struct err *err)
{
    if (node->failing == 0 || node->failing_part != part)
        return false;
    node->failing--;
    err_set(err, node->failing_code, "as the test wants");
    return true;
}

/* ---- network: one group's address ---- */

static void network_describe(struct network_group *out)
{
    *out = (struct network_group){.net_path = "/net", .ipc_path = "/ipc", .uts_path = "/uts"};
    text_copy(out->uid, sizeof out->uid, NODE_UID);
    text_format(out->address, sizeof out->address, "10.0.0.%d", node->address);
    text_copy(out->hosts_path, sizeof out->hosts_path, "/hosts");
    text_copy(out->hostname_path, sizeof out->hostname_path, "/hostname");
    text_copy(out->resolv_path, sizeof out->resolv_path, "/resolv.conf");
}

uint32_t network_users_count(const struct network *network UNUSED)
{
    return 0;
}

bool network_group_begin(struct network *network UNUSED, const char *uid UNUSED,
                         bool own_users UNUSED, struct network_users *out, struct err *err UNUSED)
{
    *out = (struct network_users){.first = 0};
    return true;
}

bool network_group_up(struct network *network UNUSED, const struct network_spec *spec UNUSED,
                      struct network_group *out, struct err *err)
{
    if (fails(PART_NETWORK, err))
        return false;
    node_moment("before network_group_up");
    node->address = node->address ? node->address : ++node->addresses;
    node_moment("after network_group_up");
    network_describe(out);
    return true;
}

bool network_group_open(struct network *network UNUSED, const char *uid UNUSED,
                        const struct network_port *ports, size_t count, struct err *err)
{
    if (node->opens_failing > 0 && node->opens_failing--)
        return err_set(err, ERR_IO, "as the test wants");
    node->ports_count = count;
    for (size_t i = 0; i < count; i++)
        node->ports[i] = ports[i];
    return node->address ? true : err_set(err, ERR_NOT_FOUND, "no such network");
}

bool network_group_expose(struct network *network, const char *uid,
                          const struct network_exposure *exposure, char shown[NETWORK_ADDRESS_SIZE],
                          struct err *err)
{
    if (!network_group_open(network, uid, exposure->ports, exposure->ports_count, err))
        return false;
    return text_format(shown, NETWORK_ADDRESS_SIZE, "10.0.0.%d", node->address);
}

bool network_group_down(struct network *network UNUSED, const char *uid UNUSED,
                        struct err *err UNUSED)
{
    node_moment("before network_group_down");
    node->address = 0;
    node_moment("after network_group_down");
    return true;
}

bool network_group_find(struct network *network UNUSED, const char *uid, struct network_group *out)
{
    if (node->address == 0 || strcmp(uid, NODE_UID) != 0)
        return false;
    network_describe(out);
    return true;
}

bool network_has_public(const struct network *network UNUSED, const char *address UNUSED)
{
    return true;
}

bool network_list(struct network *network UNUSED, struct arena *arena,
                  struct network_group **groups, size_t *count, struct err *err)
{
    *groups = ARENA_NEW(arena, struct network_group);
    if (!*groups)
        return err_set(err, ERR_BUSY, "no memory");
    *count = node->address != 0;
    network_describe(*groups);
    return true;
}

bool network_look(struct network *network UNUSED, struct err *err UNUSED)
{
    return true;
}

bool network_prepare(struct network *network UNUSED, int count UNUSED, struct err *err UNUSED)
{
    return true;
}

bool network_group_listen(struct network *network UNUSED, const char *uid UNUSED,
                          const char *address UNUSED, uint16_t port UNUSED, int *fd,
                          struct err *err UNUSED)
{
    *fd = -1;
    return true;
}

/* ---- metadata: nobody asks ---- */

struct metadata *metadata_new(metadata_ask *ask UNUSED, void *context UNUSED,
                              struct err *err UNUSED)
{
    return calloc(1, 1);
}

void metadata_free(struct metadata *metadata)
{
    free(metadata);
}

bool metadata_open(struct metadata *metadata UNUSED, const char *uid UNUSED, int fd UNUSED,
                   struct err *err UNUSED)
{
    return true;
}

void metadata_close(struct metadata *metadata UNUSED, const char *uid UNUSED)
{
}

void metadata_answer(struct metadata_question *question UNUSED, int status UNUSED,
                     const char *body UNUSED)
{
}

bool network_traffic(struct network *network UNUSED, const struct network_group *group UNUSED,
                     struct network_traffic *out, struct err *err UNUSED)
{
    *out = (struct network_traffic){0};
    return true;
}

/* ---- volumes: none is ever in the way ---- */

bool volumes_up(struct volumes *volumes UNUSED, const struct volume_group *group UNUSED,
                struct err *err)
{
    if (fails(PART_VOLUMES, err))
        return false;
    node_moment("in volumes_up");
    return true;
}

bool volumes_down(struct volumes *volumes UNUSED, const char *folder UNUSED, struct err *err UNUSED)
{
    node_moment("in volumes_down");
    return true;
}

bool volumes_disk_remove(struct volumes *volumes UNUSED, const char *id UNUSED, struct err *err)
{
    node_moment("in disk_remove");
    node->disk_removals++;
    return node->disks_failing-- <= 0 || err_set(err, ERR_IO, "the disk is busy");
}

bool volumes_disks_unmount(const char *state_dir UNUSED, struct err *err UNUSED)
{
    return true;
}

bool volume_find(struct volumes *volumes UNUSED, const char *folder, const char *name,
                 char path[VOLUME_PATH_SIZE], struct err *err UNUSED)
{
    return text_format(path, VOLUME_PATH_SIZE, "%s/%s", folder, name);
}

bool volume_is_read_only(const struct volume *volume UNUSED)
{
    return false;
}

/* ---- images: who holds one ---- */

static struct image *image_made(void)
{
    static const char *command[] = {"run"};
    struct image *image = calloc(1, sizeof *image);

    CHECK(image);
    *image = (struct image){.digest = "sha256:0", .cmd = {true, command, 1}};
    return image;
}

void image_free(struct image *image)
{
    free(image);
}

static char *holder_slot(const char *holder)
{
    for (size_t i = 0; i < COUNT_OF(node->holders); i++) {
        if (strcmp(node->holders[i], holder) == 0)
            return node->holders[i];
    }
    return NULL;
}

struct image *image_pull(struct image_store *store UNUSED, const struct image_request *request,
                         struct err *err)
{
    node->pulls++;
    request->progress("pulling image \"i\"", request->context);
    node_moment("in image_pull");
    if (fails(PART_IMAGE, err))
        return NULL;
    char *slot = holder_slot(request->holder);
    slot = slot ? slot : holder_slot("");
    CHECK(slot);
    text_copy(slot, HOLDER_SIZE, request->holder);
    request->progress("Successfully pulled image \"i\"", request->context);
    node_moment("after image_pull");
    return image_made();
}

struct image *image_held(struct image_store *store UNUSED, const char *holder, struct err *err)
{
    if (holder_slot(holder))
        return image_made();
    err_set(err, ERR_NOT_FOUND, "%s holds no image", holder);
    return NULL;
}

void image_release(struct image_store *store UNUSED, const char *holder)
{
    char *slot = holder_slot(holder);

    if (slot)
        slot[0] = '\0';
}

void image_release_others(struct image_store *store UNUSED,
                          bool (*keep)(const char *holder, void *context), void *context)
{
    for (size_t i = 0; i < COUNT_OF(node->holders); i++) {
        if (node->holders[i][0] && !keep(node->holders[i], context))
            node->holders[i][0] = '\0';
    }
}

bool image_mount(struct image_store *store UNUSED, const struct image *image UNUSED,
                 const struct idmap *users UNUSED, const char *folder, const char *target UNUSED,
                 struct err *err)
{
    return file_make_folders(folder, 0700, err);
}

bool image_unmount(const char *target UNUSED, struct err *err UNUSED)
{
    return true;
}

bool image_user_find(const char *root UNUSED, const char *user UNUSED, struct image_user *out,
                     struct err *err UNUSED)
{
    *out = (struct image_user){.home = "/"};
    return true;
}

/* None is told: what is held changes nothing here. */
int64_t image_list_version(struct image_store *store UNUSED)
{
    return 0;
}

bool image_list(struct image_store *store UNUSED, struct arena *arena UNUSED,
                struct image_row **rows, size_t *count, struct err *err UNUSED)
{
    *rows = NULL;
    *count = 0;
    return true;
}

bool image_collect(struct image_store *store UNUSED, int64_t now_ms UNUSED,
                   struct image_collected *out, struct err *err UNUSED)
{
    *out = (struct image_collected){0};
    return true;
}

/* ---- link: what the agent says is taken at once, the answer comes when the test says so ---- */

static struct {
    struct link_events events;
    struct report_answer answer;
    int64_t sent_boot_ns;
    bool answering;
} wire;

struct link *link_new(const struct link_options *options, struct err *err UNUSED)
{
    wire.events = options->events;
    wire.answering = false;
    return (struct link *)&wire;
}

void link_free(struct link *link UNUSED)
{
}

bool link_report(struct link *link UNUSED, const struct report *report)
{
    node_moment("before link_report");
    if (node->storing_nothing)
        node->unstored++;
    else
        plane_take_report(report);
    wire.answer = (struct report_answer){node->storing_nothing ? 0 : report->sequence, 8000};
    wire.sent_boot_ns = clock_boot_ns();
    wire.answering = true;
    node_moment("after link_report");
    return true;
}

void link_ask(struct link *link UNUSED, int64_t after)
{
    node->asked++;
    node->ask_after = after;
}

bool link_stream_open(struct link *link UNUSED, const char *question_id UNUSED,
                      struct websocket_io *io UNUSED, struct err *err)
{
    return err_set(err, ERR_NODE_AWAY, "there are no streams here");
}

bool link_answer(struct link *link UNUSED, const char *question_id UNUSED,
                 const struct answer *answer UNUSED, struct err *err UNUSED)
{
    return true;
}

bool link_token(struct link *link UNUSED, const struct token_ask *ask UNUSED,
                struct text *out UNUSED, struct err *err)
{
    return err_set(err, ERR_NODE_AWAY, "nobody to ask");
}

void fakes_tell_joined(void)
{
    const struct join_answer answer = {.epoch = ++node->epoch, .beat_ms = 1000};

    assert_true(wire.events.joined(wire.events.context, &answer));
}

void fakes_tell_desired(void)
{
    struct arena *arena = arena_new(1 << 20);
    struct desired desired = plane_desired(arena);

    assert_true(wire.events.desired(wire.events.context, arena, 0, &desired));
}

void fakes_tell_reported(void)
{
    if (wire.answering)
        wire.events.reported(wire.events.context, &wire.answer, wire.sent_boot_ns);
    wire.answering = false;
}

/* ---- workers: none; work waits until the test runs it ---- */

static struct {
    struct work *first, **last;
} waiting;

struct workers *workers_new(int threads_max UNUSED, struct err *err UNUSED)
{
    waiting.first = NULL;
    waiting.last = &waiting.first;
    return (struct workers *)&waiting;
}

void workers_submit(struct workers *workers UNUSED, struct work *work)
{
    work->next = NULL;
    *waiting.last = work;
    waiting.last = &work->next;
}

static struct work *work_take(void)
{
    struct work *work = waiting.first;

    if (work && !(waiting.first = work->next))
        waiting.last = &waiting.first;
    return work;
}

bool fakes_work(void)
{
    struct work *work = work_take();

    if (work)
        work->run(work);
    return work != NULL;
}

void workers_free(struct workers *workers UNUSED)
{
    for (struct work *work; (work = work_take());)
        work->drop(work);
}

/* ---- probes: only who is asked ---- */

struct prober {
    int asked;
};
static struct prober prober;

struct prober *prober_new(const struct probe_commands *commands UNUSED, probe_said_fn *said UNUSED,
                          void *context UNUSED, struct err *err UNUSED)
{
    node->asked_count = 0;
    return &prober;
}

void prober_free(struct prober *one UNUSED)
{
}

bool prober_begin(struct prober *one, const struct probe_spec *spec, struct err *err UNUSED)
{
    CHECK(one == &prober);
    CHECK(node->asked_count < COUNT_OF(node->probes));
    struct node_probe *probe = &node->probes[node->asked_count++];
    *probe = (struct node_probe){spec->token, spec->kind, spec->good, spec->running_ms, ""};
    text_copy(probe->address, sizeof probe->address, spec->address);
    return true;
}

void prober_end(struct prober *one, int64_t token)
{
    size_t kept = 0;

    CHECK(one == &prober);
    for (size_t i = 0; i < node->asked_count; i++) {
        if (node->probes[i].token != token)
            node->probes[kept++] = node->probes[i];
    }
    node->asked_count = kept;
}
