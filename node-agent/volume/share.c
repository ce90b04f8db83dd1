/* azureFile (§14.2): an SMB share, mounted by the kernel where it can (share_cifs.c), else by rclone (share_rclone.c).
 * This file knows what both need: where an account's server is, and what failures mean. */
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <string.h>

#define USUAL_SUFFIX "file.core.windows.net"
#define USUAL_PORT "445"

/* "host", "host:445", "[::1]:445". */
static bool take_server(const char *server, struct share *out)
{
    const char *colon = strrchr(server, ':');
    bool bracketed = server[0] == '[';
    const char *end = bracketed ? strchr(server, ']') : NULL;

    if (bracketed) {
        if (!end || (end[1] && end[1] != ':'))
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
        server++;
    } else {
        end = colon ? colon : server + strlen(server);
    }
    return end > server &&
           text_format(out->host, sizeof out->host, "%.*s", (int)(end - server), server) &&
           text_format(out->port, sizeof out->port, "%s", colon ? colon + 1 : USUAL_PORT) &&
           out->port[0];
}

bool share_server_find(const struct volumes_options *options, const char *account,
                       struct share *out, struct err *err)
{
    const char *suffix = options->share_suffix ? options->share_suffix : USUAL_SUFFIX;
    char usual[256];

    for (size_t i = 0; i < options->share_servers.count; i++) {
        const struct text_pair *pair = &options->share_servers.items[i];
        if (text_equal_nocase(pair->key, account))
            return take_server(pair->value, out) ||
                   err_set(err, ERR_NOT_IMPLEMENTED,
                           "this node's setting azure_file_servers names no server for '%s'",
                           account);
    }
    return text_format(usual, sizeof usual, "%s.%s", account, suffix) && take_server(usual, out)
               ? true
               : err_set(err, ERR_VOLUME, "the server of storage account '%s' has no name",
                         account);
}

/* ---- failures ---- */

/* What SMB servers say, in rclone's words; all but these may be different a moment later. */
static const struct {
    const char *words;
    int number;
} refusals[] = {
    {"attempted logon is invalid", EACCES},
    {"Access Denied", EACCES},
    {"requested access", EACCES},
    {"account is currently disabled", EACCES},
    {"account has been automatically locked", EACCES},
    {"logon failure", EACCES},
    {"share name cannot be found", ENOENT},
    {"Network Name Not Found", ENOENT},
};

int share_errno(const char *said)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (strcasestr(said, refusals[i].words))
            return refusals[i].number;
    }
    return 0;
}

/* As the service words it: §14.7. */
bool share_refused(const struct share *share, int number, const char *said, struct err *err)
{
    const char *meaning = number == EACCES   ? "the account's key is refused"
                          : number == ENOENT ? "there is no such share"
                                             : said;
    enum err_code code = number == EACCES || number == ENOENT ? ERR_VOLUME : ERR_IO;

    if (number == 0)
        return err_set(err, ERR_IO, "share '%s': Output: mount error: %s", share->path, said);
    return err_set(err, code, "share '%s': Output: mount error(%d): %s (%s)", share->path, number,
                   strerror(number), meaning);
}

/* ---- the volume ---- */

enum made share_make(const struct making *making, struct err *err)
{
    const struct azure_file_volume *asked = making->volume->azure_file;
    const struct volumes_options *options = &making->volumes->options;
    struct share share = {
        .name = asked->share_name,
        .account = asked->account_name,
        .key = asked->account_key,
        .read_only = volume_is_read_only(making->volume),
    };

    if (!share.key || !share_server_find(options, share.account, &share, err))
        return MADE_NOT;
    text_format(share.path, sizeof share.path, "//%s.%s/%s", share.account,
                options->share_suffix ? options->share_suffix : USUAL_SUFFIX, share.name);
    return share_cifs_is_here() ? share_cifs_make(making, &share, err)
                                : share_rclone_make(making, &share, err);
}
