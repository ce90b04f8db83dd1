/* Field tables of the protocol between the plane and its nodes. */
#include "model/link.h"

#include "base/limits.h"
#include "model/runtime_class.h"

#include <string.h>

const char *const wanted_words[] = {"run", "stop", "remove", NULL};
const char *const question_kind_words[] = {"logs", "exec", "attach", "follow", NULL};

/* clang-format off */

static const struct field node_gpus_fields[] = {
    FIELD_ENUM(struct node_gpus, sku, "sku", gpu_sku_words, .flags = FIELD_REQUIRED),
    FIELD(struct node_gpus, count, "count", .min = 0, .max = GPU_COUNT_MAX),
};
const struct schema node_gpus_schema = SCHEMA("NodeGpus", struct node_gpus, node_gpus_fields, "Graphics processors of one sku.");

static const struct field capacity_fields[] = {
    FIELD(struct node_capacity, cpu_milli, "cpuMilli"),
    FIELD(struct node_capacity, memory_mib, "memoryMib"),
    FIELD_ITEMS(struct node_capacity, gpus, "gpus", &node_gpus_schema, .max = GPU_SKUS),
};
static const struct schema capacity_schema = SCHEMA("NodeCapacity", struct node_capacity, capacity_fields, "What a node can hold.");

static const struct field join_request_fields[] = {
    FIELD(struct join_request, name, "name", .flags = FIELD_REQUIRED, .max = 63),
    FIELD(struct join_request, node_id, "nodeId", .max = 36),
    FIELD(struct join_request, credential, "credential", .flags = FIELD_SECRET, .max = 64),
    FIELD(struct join_request, boot_id, "bootId", .flags = FIELD_REQUIRED, .max = 64),
    FIELD(struct join_request, location, "location", .max = 63),
    FIELD(struct join_request, zone, "zone", .max = ZONE_SIZE - 1),
    FIELD(struct join_request, os, "os", .flags = FIELD_REQUIRED, .max = 16),
    FIELD(struct join_request, architecture, "architecture", .flags = FIELD_REQUIRED, .max = 32),
    FIELD(struct join_request, address, "address", .max = 255),
    FIELD(struct join_request, version, "version", .max = 63),
    FIELD(struct join_request, classes, "classes", .max = RUNTIME_CLASSES_MAX),
    FIELD(struct join_request, user_namespaces, "userNamespaces"),
    FIELD_STRUCT(struct join_request, capacity, "capacity", &capacity_schema, .flags = FIELD_REQUIRED),
};
const struct schema join_request_schema = SCHEMA("JoinRequest", struct join_request, join_request_fields, "A node asks to take part.");

static const struct field join_answer_fields[] = {
    FIELD(struct join_answer, node_id, "nodeId", .flags = FIELD_REQUIRED),
    FIELD(struct join_answer, credential, "credential", .flags = FIELD_SECRET),
    FIELD(struct join_answer, epoch, "epoch"),
    FIELD(struct join_answer, beat_ms, "beatMs"),
    FIELD(struct join_answer, fence_ms, "fenceMs"),
    FIELD(struct join_answer, lost_ms, "lostMs"),
};
const struct schema join_answer_schema = SCHEMA("JoinAnswer", struct join_answer, join_answer_fields, "Who the node is from now on.");

static const struct field image_pin_fields[] = {
    FIELD(struct image_pin, image, "image", .flags = FIELD_REQUIRED, .max = 511),
    FIELD(struct image_pin, digest, "digest", .flags = FIELD_REQUIRED, .max = 71),
};
static const struct schema image_pin_schema = SCHEMA("ImagePin", struct image_pin, image_pin_fields, "What the name of an image means.");

static const struct field disk_seat_fields[] = {
    FIELD(struct disk_seat, name, "name", .flags = FIELD_REQUIRED, .max = 63),
    FIELD(struct disk_seat, id, "id", .flags = FIELD_REQUIRED, .max = 36),
    FIELD(struct disk_seat, size_bytes, "sizeBytes"),
};
static const struct schema disk_seat_schema = SCHEMA("DiskSeat", struct disk_seat, disk_seat_fields, "Where a local disk is on its node.");

static const struct field assignment_fields[] = {
    FIELD(struct assignment, uid, "uid", .flags = FIELD_REQUIRED),
    FIELD(struct assignment, incarnation, "incarnation"),
    FIELD(struct assignment, revision, "revision"),
    FIELD_ENUM(struct assignment, wanted, "wanted", wanted_words, .flags = FIELD_REQUIRED),
    FIELD(struct assignment, name, "name"),
    FIELD(struct assignment, resource_group, "resourceGroup"),
    FIELD(struct assignment, subscription, "subscription"),
    FIELD(struct assignment, cpu_milli, "cpuMilli"),
    FIELD(struct assignment, memory_mib, "memoryMib"),
    FIELD(struct assignment, public_address, "publicAddress", .max = 45),
    FIELD(struct assignment, runtime_class, "runtimeClass"),
    FIELD_STRUCT(struct assignment, group, "group", &container_group_schema),
    FIELD_ITEMS(struct assignment, pins, "images", &image_pin_schema, .max = LIMIT_CONTAINERS_MAX),
    FIELD_ITEMS(struct assignment, disks, "disks", &disk_seat_schema, .max = LIMIT_VOLUMES_MAX),
};
const struct schema assignment_schema = SCHEMA("Assignment", struct assignment, assignment_fields, "What a node is to do with a group.");

static const struct field question_fields[] = {
    FIELD(struct question, id, "id", .flags = FIELD_REQUIRED),
    FIELD_ENUM(struct question, kind, "kind", question_kind_words, .flags = FIELD_REQUIRED),
    FIELD(struct question, uid, "uid"),
    FIELD(struct question, container, "container"),
    FIELD(struct question, tail, "tail"),
    FIELD(struct question, timestamps, "timestamps"),
    FIELD(struct question, previous, "previous"),
    FIELD(struct question, bytes_max, "bytesMax"),
    FIELD(struct question, command, "command", .max = LIMIT_EXEC_COMMAND_MAX),
    FIELD(struct question, rows, "rows", .max = LIMIT_TERMINAL_SIDE_MAX),
    FIELD(struct question, columns, "columns", .max = LIMIT_TERMINAL_SIDE_MAX),
    FIELD(struct question, containers, "containers", .max = 64),
    FIELD(struct question, position, "position", .max = LIMIT_FOLLOW_POSITION_MAX),
    FIELD(struct question, ends, "ends"),
};
static const struct schema question_schema = SCHEMA("Question", struct question, question_fields, "Something only the node can answer.");

static const struct field stream_size_fields[] = {
    FIELD(struct stream_size, rows, "rows", .min = 0, .max = LIMIT_TERMINAL_SIDE_MAX),
    FIELD(struct stream_size, columns, "cols", .min = 0, .max = LIMIT_TERMINAL_SIDE_MAX),
};
const struct schema stream_size_schema = SCHEMA("TerminalSize", struct stream_size, stream_size_fields, "Of a terminal, in characters.");

static const struct field desired_fields[] = {
    FIELD(struct desired, revision, "revision"),
    FIELD(struct desired, complete, "complete"),
    FIELD_ITEMS(struct desired, assignments, "assignments", &assignment_schema),
    FIELD_ITEMS(struct desired, questions, "questions", &question_schema),
    FIELD(struct desired, remove_disks, "removeDisks", .max = LIMIT_DISKS_PAGE),
};
const struct schema desired_schema = SCHEMA("Desired", struct desired, desired_fields, "What the plane wants of a node.");

static const struct field answer_fields[] = {
    FIELD(struct answer, content, "content", .max = 6291456),
    FIELD(struct answer, error_code, "errorCode", .max = 64),
    FIELD(struct answer, error_text, "errorText", .max = 1024),
};
const struct schema answer_schema = SCHEMA("Answer", struct answer, answer_fields, "The answer to a question.");

static const struct field failure_fields[] = {
    FIELD(struct failure, code, "code", .max = 64),
    FIELD(struct failure, text, "text", .max = 1024),
};
static const struct schema failure_schema = SCHEMA("Failure", struct failure, failure_fields, "Why it failed for good.");

static const struct field container_status_fields[] = {
    FIELD(struct container_status, name, "name", .flags = FIELD_REQUIRED, .max = 63),
    FIELD_STRUCT(struct container_status, view, "view", &container_view_schema),
};
static const struct schema container_status_schema = SCHEMA("ContainerStatus", struct container_status, container_status_fields, "One container on its node.");

static const struct field group_status_fields[] = {
    FIELD(struct group_status, uid, "uid", .flags = FIELD_REQUIRED, .max = 36),
    FIELD(struct group_status, incarnation, "incarnation"),
    FIELD_ENUM(struct group_status, state, "state", group_state_words, .flags = FIELD_REQUIRED),
    FIELD(struct group_status, provisioned, "provisioned"),
    FIELD(struct group_status, released, "released"),
    FIELD(struct group_status, removed, "removed"),
    FIELD_STRUCT(struct group_status, failure, "failure", &failure_schema),
    FIELD(struct group_status, address, "address", .max = 64),
    FIELD_ITEMS(struct group_status, events, "events", &event_schema, .max = 100),
    FIELD_ITEMS(struct group_status, containers, "containers", &container_status_schema, .max = 60),
    FIELD_ITEMS(struct group_status, pins, "images", &image_pin_schema, .max = LIMIT_CONTAINERS_MAX),
};
const struct schema group_status_schema = SCHEMA("GroupStatus", struct group_status, group_status_fields, "One group on its node.");

static const struct field interval_fields[] = {
    FIELD(struct usage_interval, uid, "uid", .flags = FIELD_REQUIRED, .max = 36),
    FIELD(struct usage_interval, incarnation, "incarnation"),
    FIELD(struct usage_interval, from_s, "from"),
    FIELD(struct usage_interval, to_s, "to"),
    FIELD(struct usage_interval, cpu_milli, "cpuMilli"),
    FIELD(struct usage_interval, memory_mib, "memoryMib"),
    FIELD(struct usage_interval, gpus, "gpus"),
    FIELD(struct usage_interval, price_class, "priceClass"),
};
static const struct schema interval_schema = SCHEMA("UsageInterval", struct usage_interval, interval_fields, "A time in which a group held resources.");

static const struct field sample_fields[] = {
    FIELD(struct use_sample, second, "second"),
    FIELD(struct use_sample, uid, "uid", .flags = FIELD_REQUIRED, .max = 36),
    FIELD(struct use_sample, incarnation, "incarnation"),
    FIELD(struct use_sample, container, "container", .max = 63),
    FIELD(struct use_sample, cpu_ns, "cpuNs"),
    FIELD(struct use_sample, memory_bytes, "memoryBytes"),
    FIELD(struct use_sample, rx_bytes, "rxBytes"),
    FIELD(struct use_sample, tx_bytes, "txBytes"),
};
static const struct schema sample_schema = SCHEMA("UseSample", struct use_sample, sample_fields, "What a container used so far.");

static const struct field node_image_fields[] = {
    FIELD(struct node_image, image, "image", .flags = FIELD_REQUIRED, .max = 511),
    FIELD(struct node_image, digest, "digest", .max = 71),
    FIELD(struct node_image, open, "open"),
};
static const struct schema node_image_schema = SCHEMA("NodeImage", struct node_image, node_image_fields, "An image that a node holds.");

static const struct field node_images_fields[] = {
    FIELD_ITEMS(struct node_images, items, "items", &node_image_schema, .max = LIMIT_NODE_IMAGES_MAX),
};
static const struct schema node_images_schema = SCHEMA("NodeImages", struct node_images, node_images_fields, "All images that a node holds.");

static const struct field report_fields[] = {
    FIELD(struct report, epoch, "epoch"),
    FIELD(struct report, sequence, "sequence"),
    FIELD(struct report, watermark_s, "watermark"),
    FIELD_STRUCT(struct report, capacity, "capacity", &capacity_schema),
    FIELD_ITEMS(struct report, statuses, "statuses", &group_status_schema, .max = 100000),
    FIELD_ITEMS(struct report, intervals, "intervals", &interval_schema, .max = 100000),
    FIELD_ITEMS(struct report, samples, "samples", &sample_schema, .max = 100000),
    FIELD_STRUCT(struct report, images, "images", &node_images_schema),
    FIELD(struct report, removed_disks, "removedDisks", .max = LIMIT_DISKS_PAGE),
};
const struct schema report_schema = SCHEMA("Report", struct report, report_fields, "What happened on a node.");

static const struct field token_ask_fields[] = {
    FIELD(struct token_ask, uid, "uid", .flags = FIELD_REQUIRED, .max = 36),
    FIELD(struct token_ask, resource, "resource", .flags = FIELD_REQUIRED, .max = 1024),
    FIELD(struct token_ask, client_id, "clientId", .max = 64),
    FIELD(struct token_ask, principal_id, "principalId", .max = 64),
    FIELD(struct token_ask, resource_id, "resourceId", .max = 2048),
};
const struct schema token_ask_schema = SCHEMA("TokenRequest", struct token_ask, token_ask_fields, "A token in a group's name.");

static const struct field report_answer_fields[] = {
    FIELD(struct report_answer, sequence, "sequence"),
    FIELD(struct report_answer, lease_ms, "leaseMs"),
};
const struct schema report_answer_schema = SCHEMA("ReportAnswer", struct report_answer, report_answer_fields, "What was committed, and how long the lease runs.");

/* clang-format on */

const char *image_pin_find(const struct image_pin *pins, size_t count, const char *image)
{
    for (size_t i = 0; i < count; i++) {
        if (pins[i].image && strcmp(pins[i].image, image) == 0)
            return pins[i].digest;
    }
    return NULL;
}

/* Each sku counts once, whatever a node says. */
int64_t capacity_gpus(const struct node_capacity *capacity)
{
    int64_t gpus = 0;

    for (size_t i = 0; i < capacity->gpus_count; i++) {
        const struct node_gpus *one = &capacity->gpus[i];
        if (one->count > 0 && one->count <= GPU_COUNT_MAX && gpus_count(gpus, one->sku) == 0)
            gpus += gpus_of(one->sku, one->count);
    }
    return gpus;
}
