/* Whatever stands in a subscription or resource group, as one list of short items. Here that is container groups; by
 * their id they are shown, put and deleted by their own handlers. */
#include "api/filter.h"
#include "api/handlers/arm.h"
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

#include <string.h>

enum { EXPAND_CREATED = 1 << 0, EXPAND_CHANGED = 1 << 1, EXPAND_PROVISIONING = 1 << 2 };

static const char *const expand_words[] = {"createdTime", "changedTime", "provisioningState", NULL};

/* One page while it is filled. */
struct walk {
    struct request *request;
    struct tx *tx;
    struct filter filter;
    struct resource_question question;
    struct page page;
    unsigned expand;
    size_t looked_at, printed;
    int64_t at; /* place of the last one looked at */
    bool more;
};

static bool expand_take(const struct request *request, unsigned *expand, struct err *err)
{
    const char *at = request_query(request, "$expand");
    char word[32];

    for (*expand = 0; at && *at;) {
        size_t size = strcspn(at, ",");
        if (!text_format(word, sizeof word, "%.*s", (int)(size < 1024 ? size : 1024), at) ||
            fields_word(expand_words, word) < 0)
            return err_set(err, ERR_BAD_QUERY,
                           "the value of '$expand' may name createdTime, changedTime and "
                           "provisioningState, not '%s'",
                           word);
        *expand |= 1u << fields_word(expand_words, word);
        at += size;
        at += *at == ',';
    }
    return true;
}

static const char *must_be(const struct filter *filter, enum filter_property property)
{
    const struct filter_term *term = filter_must(filter, property);

    return term ? term->text : NULL;
}

static bool walk_take(struct walk *walk, struct err *err)
{
    struct request *request = walk->request;
    const char *text = request_query(request, "$filter");
    const struct filter_term *tag;

    if (!page_take(request, 's', &walk->page, err) || !expand_take(request, &walk->expand, err) ||
        (text && !filter_parse(text, FILTER_ALL, request->arena, &walk->filter, err)))
        return false;
    tag = filter_must(&walk->filter, FILTER_TAG_NAME);
    walk->at = walk->page.after_key;
    walk->question = (struct resource_question){
        .subscription = request->names[0],
        .resource_group = request->names_count > 1 ? request->names[1]
                                                   : must_be(&walk->filter, FILTER_RESOURCE_GROUP),
        .name = must_be(&walk->filter, FILTER_NAME),
        .tag = tag ? tag->text : NULL,
        .value = tag ? tag->tag_value : NULL,
    };
    return true;
}

static bool fits(const struct walk *walk, const struct resource_row *row)
{
    const struct filter_facts facts = {
        .name = row->name,
        .resource_group = row->resource_group,
        .resource_type = RESOURCE_TYPE_GROUP,
        .location = row->location,
        .tags = &row->tags,
    };

    return (!walk->question.resource_group ||
            text_equal_nocase(walk->question.resource_group, row->resource_group)) &&
           filter_fits(&walk->filter, &facts);
}

static void print_time(const char *name, int64_t ms, struct text *out)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_ms(ms, text);
    text_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void print_row(const struct walk *walk, const struct resource_row *row, struct text *out)
{
    struct resource_id id = {walk->question.subscription, row->resource_group, row->name};

    text_add(out, walk->printed > 0 ? ",{\"id\":\"" : "{\"id\":\"");
    resource_id_print(&id, out);
    text_add(out, "\",\"name\":");
    text_add_json(out, row->name);
    text_add(out, ",\"type\":\"" RESOURCE_TYPE_GROUP "\",\"location\":");
    text_add_json(out, row->location);
    text_add(out, ",\"tags\":");
    tags_print(&row->tags, out);
    if (walk->expand & EXPAND_CREATED)
        print_time(expand_words[0], row->created_ms, out);
    if (walk->expand & EXPAND_CHANGED)
        print_time(expand_words[1], row->changed_ms, out);
    if (walk->expand & EXPAND_PROVISIONING)
        text_addf(out, ",\"provisioningState\":\"%s\"", provisioning_words[row->provisioning]);
    text_add(out, "}");
}

static bool walk_on(struct walk *walk, struct err *err)
{
    struct request *request = walk->request;
    struct resource_page rows;

    if (!store_resource_list(walk->tx, &walk->question, walk->at, walk->page.rows_max,
                             request->arena, &rows, err))
        return false;
    walk->more = rows.next_key != 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (walk->printed == walk->page.rows_max) {
            walk->more = true;
            return true;
        }
        walk->at = rows.rows[i].place;
        walk->looked_at++;
        if (rows.rows[i].key != 0 && fits(walk, &rows.rows[i])) {
            print_row(walk, &rows.rows[i], request->out);
            walk->printed++;
        }
    }
    return true;
}

/* A page ends when it is full, and also when many rows were looked at: then it holds what fitted so far, perhaps
 * nothing, and links on. */
bool resource_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    struct walk walk = {.request = request};

    if (!walk_take(&walk, err))
        return false;
    walk.tx = tx = store_read(request->api->store, err);
    if (!tx || (request->names_count > 1 && !resource_group_get(request, tx, err)))
        return false;
    text_add(request->out, "{\"value\":[");
    do {
        if (!walk_on(&walk, err))
            return false;
    } while (walk.more && walk.printed < walk.page.rows_max &&
             walk.looked_at < (size_t)LIMIT_PAGE_LOOKED_AT_MAX);
    text_add(request->out, "]");
    page_link(request, 's', walk.more ? walk.at : 0);
    text_add(request->out, "}");
    return reply_json(request, 200);
}

bool resource_exists(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);

    return tx && group_find(request, tx, false, err) && reply_empty(request, 204);
}
