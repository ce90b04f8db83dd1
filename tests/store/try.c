#include "tests/store/try.h"

#include "base/file.h"
#include "model/resource_id.h"

#include <string.h>

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s: %s", err_code_name(err->code), err->text);
}

/* ---- open, close ---- */

void trial_close(struct trial *trial)
{
    store_close(trial->store);
    trial->store = NULL;
}

void trial_reopen(struct trial *trial)
{
    struct err err = {0};
    struct store_options options = {.path = trial->path, .key_path = trial->key_path};
    trial_close(trial);
    trial->store = store_open(&options, &err);
    must(trial->store != NULL, &err);
}

static bool put_resource_group(struct tx *tx, void *data, struct err *err)
{
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = data, .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

static bool drop_resource_group(struct tx *tx, void *data, struct err *err)
{
    int64_t key;
    return store_resource_group_delete(tx, TRY_SUBSCRIPTION, data, &key, err);
}

void trial_drop_resource_group(struct trial *trial)
{
    trial_write(trial, drop_resource_group, "rg");
}

struct trial *trial_new(void)
{
    struct trial *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    trial->arena = arena_new((size_t)1 << 30);
    text_copy(trial->folder, sizeof trial->folder, "/tmp/berth-store-XXXXXX");
    assert_non_null(mkdtemp(trial->folder));
    text_format(trial->path, sizeof trial->path, "%s/berth.db", trial->folder);
    text_format(trial->key_path, sizeof trial->key_path, "%s/secret.key", trial->folder);
    trial_reopen(trial);
    trial_write(trial, put_resource_group, "rg");
    return trial;
}

void trial_free(struct trial *trial)
{
    struct err err;
    if (!trial)
        return;
    trial_close(trial);
    arena_free(trial->arena);
    must(file_remove_tree(trial->folder, &err), &err);
    free(trial);
}

void trial_write(struct trial *trial, store_work work, void *data)
{
    struct err err = {0};
    must(store_write(trial->store, work, data, &err), &err);
}

enum err_code trial_refused(struct trial *trial, store_work work, void *data)
{
    struct err err = {0};
    assert_false(store_write(trial->store, work, data, &err));
    assert_int_not_equal(err.code, ERR_OK);
    assert_true(err.text[0] != '\0');
    return err.code;
}

static enum err_code outcome(struct trial *trial, store_work work, void *data)
{
    struct err err = {0};
    return store_write(trial->store, work, data, &err) ? ERR_OK : err.code;
}

/* ---- groups ---- */

struct creation {
    struct group_row row;
    const char *secrets;
};

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creation *creation = data;
    return store_group_create(tx, &creation->row, creation->secrets, err);
}

int64_t trial_create_policy(struct trial *trial, const char *name, enum restart_policy policy,
                            const char *secrets)
{
    struct creation creation = {
        .row = {.subscription = TRY_SUBSCRIPTION,
                .resource_group = "rg",
                .name = name,
                .location = "westus",
                .spec = TRY_SPEC,
                .restart_policy = policy,
                .os = OS_LINUX,
                .shape = {1000, 1024}},
        .secrets = secrets,
    };
    trial_write(trial, create, &creation);
    assert_true(creation.row.key > 0 && creation.row.operation_key > 0);
    return creation.row.key;
}

int64_t trial_create_spot(struct trial *trial, const char *name, enum restart_policy policy)
{
    struct creation creation = {
        .row = {.subscription = TRY_SUBSCRIPTION,
                .resource_group = "rg",
                .name = name,
                .location = "westus",
                .spec = TRY_SPEC,
                .restart_policy = policy,
                .os = OS_LINUX,
                .quota_class = QUOTA_CLASS_SPOT,
                .shape = {1000, 1024}},
        .secrets = "{}",
    };
    trial_write(trial, create, &creation);
    return creation.row.key;
}

struct eviction {
    int64_t group_key, node_key;
};

static bool evict(struct tx *tx, void *data, struct err *err)
{
    struct eviction *eviction = data;
    return store_group_evict(tx, eviction->group_key, eviction->node_key, err);
}

enum err_code trial_evict(struct trial *trial, int64_t group_key, const struct trial_node *node)
{
    struct eviction eviction = {group_key, node->key};
    struct err err = {0};
    return store_write(trial->store, evict, &eviction, &err) ? ERR_OK : err.code;
}

int64_t trial_create(struct trial *trial, const char *name)
{
    return trial_create_policy(trial, name, RESTART_ALWAYS, "{}");
}

struct group_row *trial_find(struct trial *trial, const char *name)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    must(tx != NULL, &err);
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", name};
    struct group_row *row = store_group_find(tx, &id, true, trial->arena, &err);
    must(err.code == ERR_OK, &err);
    return row;
}

struct group_row *trial_get(struct trial *trial, int64_t key)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    must(tx != NULL, &err);
    struct group_row *row = store_group_get(tx, key, true, trial->arena, &err);
    must(err.code == ERR_OK, &err);
    return row;
}

struct operation_row *trial_operation(struct trial *trial, int64_t key)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    must(tx != NULL, &err);
    struct operation_row *row = store_operation_get(tx, key, trial->arena, &err);
    must(err.code == ERR_OK, &err);
    return row;
}

struct ordered {
    struct trial *trial;
    const char *name;
    enum trial_order order;
};

static bool give_order(struct tx *tx, struct group_row *row, enum trial_order order,
                       struct err *err)
{
    switch (order) {
    case ORDER_STOP:
        return store_group_stop(tx, row, err);
    case ORDER_START:
        return store_group_start(tx, row, err);
    case ORDER_RESTART:
        return store_group_restart(tx, row, err);
    case ORDER_REMOVE:
        return store_group_remove(tx, row, err);
    case ORDER_UPDATE:
        return store_group_update(tx, row, "{}", true, err);
    case ORDER_RETAG:
        return store_group_update(tx, row, NULL, false, err);
    }
    return false;
}

static bool order(struct tx *tx, void *data, struct err *err)
{
    struct ordered *ordered = data;
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", ordered->name};
    struct group_row *row = store_group_find(tx, &id, true, ordered->trial->arena, err);
    if (!row)
        return err->code == ERR_OK ? err_set(err, ERR_NOT_FOUND, "no group") : false;
    if (!give_order(tx, row, ordered->order, err))
        return false;
    ordered->trial->ordered_key = row->operation_key;
    return true;
}

enum err_code trial_order(struct trial *trial, const char *name, enum trial_order wanted)
{
    struct ordered ordered = {trial, name, wanted};
    return outcome(trial, order, &ordered);
}

/* ---- nodes ---- */

struct joining {
    struct trial *trial;
    struct join_request request;
    struct node_row row;
    const char *credential;
};

static bool join(struct tx *tx, void *data, struct err *err)
{
    struct joining *joining = data;
    return store_node_join(tx, &joining->request, &joining->row, &joining->credential,
                           joining->trial->arena, err);
}

static struct join_request request_of(const char *name, struct node_capacity *capacity)
{
    return (struct join_request){.name = name,
                                 .boot_id = "boot",
                                 .location = "westus",
                                 .os = "Linux",
                                 .architecture = "amd64",
                                 .address = "127.0.0.1",
                                 .version = "1",
                                 .capacity = capacity};
}

struct trial_node trial_join(struct trial *trial, const char *name)
{
    struct node_capacity capacity = {64000, 131072};
    struct joining joining = {.trial = trial, .request = request_of(name, &capacity)};
    trial_write(trial, join, &joining);
    assert_non_null(joining.credential);
    return (struct trial_node){
        joining.row.key, joining.row.epoch, joining.row.id, joining.credential, name, 0};
}

void trial_rejoin(struct trial *trial, struct trial_node *node)
{
    struct node_capacity capacity = {64000, 131072};
    struct joining joining = {.trial = trial, .request = request_of(node->name, &capacity)};
    joining.request.node_id = node->id;
    joining.request.credential = node->credential;
    trial_write(trial, join, &joining);
    assert_null(joining.credential);
    assert_true(joining.row.epoch > node->epoch);
    node->epoch = joining.row.epoch;
}

struct placing {
    int64_t group_key, incarnation;
    const struct trial_node *node;
};

static bool place(struct tx *tx, void *data, struct err *err)
{
    struct placing *placing = data;
    return store_assignment_place(tx, placing->group_key, placing->incarnation, placing->node->key,
                                  placing->node->epoch, err);
}

enum err_code trial_place(struct trial *trial, int64_t group_key, const struct trial_node *node)
{
    struct placing placing = {group_key, trial_get(trial, group_key)->incarnation, node};
    return outcome(trial, place, &placing);
}

struct losing {
    const struct trial_node *node;
    bool replace;
};

static bool lose(struct tx *tx, void *data, struct err *err)
{
    struct losing *losing = data;
    return store_node_lost(tx, losing->node->key, losing->node->epoch, losing->replace, err);
}

enum err_code trial_lose(struct trial *trial, const struct trial_node *node, bool replace)
{
    struct losing losing = {node, replace};
    return outcome(trial, lose, &losing);
}

static bool remove_node(struct tx *tx, void *data, struct err *err)
{
    return store_node_remove(tx, *(int64_t *)data, err);
}

enum err_code trial_forget_node(struct trial *trial, const struct trial_node *node)
{
    int64_t key = node->key;
    return outcome(trial, remove_node, &key);
}

void trial_remove_node(struct trial *trial, const struct trial_node *node)
{
    (void)trial_lose(trial, node, false);
    assert_int_equal(trial_forget_node(trial, node), ERR_OK);
}

static bool drain(struct tx *tx, void *data, struct err *err)
{
    return store_node_drain(tx, *(int64_t *)data, err);
}

void trial_drain(struct trial *trial, const struct trial_node *node)
{
    int64_t key = node->key;
    trial_write(trial, drain, &key);
}

static bool uncordon(struct tx *tx, void *data, struct err *err)
{
    return store_node_cordon(tx, *(int64_t *)data, false, err);
}

void trial_uncordon(struct trial *trial, const struct trial_node *node)
{
    int64_t key = node->key;
    trial_write(trial, uncordon, &key);
}

struct reporting {
    struct trial *trial;
    const struct trial_node *node;
    struct report *report;
};

static bool apply(struct tx *tx, void *data, struct err *err)
{
    struct reporting *reporting = data;
    return store_report_apply(tx, reporting->node->key, reporting->report, reporting->trial->arena,
                              err);
}

enum err_code trial_report(struct trial *trial, struct trial_node *node, struct report *report)
{
    struct reporting reporting = {trial, node, report};
    report->epoch = node->epoch;
    if (report->sequence == 0)
        report->sequence = ++node->sequence;
    return outcome(trial, apply, &reporting);
}

struct desired *trial_desired(struct trial *trial, const struct trial_node *node, int64_t after)
{
    struct err err = {0};
    struct desired *desired = ARENA_NEW(trial->arena, struct desired);
    AUTO(tx) *tx = store_read(trial->store, &err);
    must(tx && store_desired(tx, node->key, after, trial->arena, desired, &err), &err);
    return desired;
}

int64_t trial_seconds(struct trial *trial, const char *group, int64_t from_s, int64_t to_s)
{
    struct err err = {0};
    struct resource_id id = {TRY_SUBSCRIPTION, group ? "rg" : NULL, group};
    struct usage_page page = {0};
    int64_t seconds = 0, after = 0;
    AUTO(tx) *tx = store_read(trial->store, &err);
    must(tx != NULL, &err);
    do {
        must(store_usage_list(tx, &id, from_s, to_s, after, 7, trial->arena, &page, &err), &err);
        for (size_t i = 0; i < page.count; i++)
            seconds += page.rows[i].to_s - page.rows[i].from_s;
        after = page.next_key;
    } while (after != 0);
    return seconds;
}
