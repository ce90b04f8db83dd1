/* Runs a fuzz target over files instead of the fuzzer's own main: each argument is a file, or a
 * folder of files. So every compiler runs the corpus. It fails when there was nothing to run. */
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int run_file(const char *path)
{
    struct err err;
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!file_read(path, LIMIT_LINK_MESSAGE_MAX, &bytes, &size, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    /* A copy of exactly its size, so that one byte too far is seen. */
    AUTO_FREE uint8_t *exact = malloc(size > 0 ? size : 1);
    if (!exact)
        return -1;
    for (size_t i = 0; i < size; i++)
        exact[i] = (uint8_t)bytes[i];
    LLVMFuzzerTestOneInput(exact, size);
    return 1;
}

/* How many files ran; -1 when one could not be read. */
static int run_path(const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
        return run_file(path);
    DIR *folder = opendir(path);
    int count = 0, ran = 0;
    for (struct dirent *entry; folder && ran >= 0 && (entry = readdir(folder)) != NULL;
         count += ran) {
        char file[4096];
        ran = 0;
        if (entry->d_name[0] != '.' && text_format(file, sizeof file, "%s/%s", path, entry->d_name))
            ran = run_file(file);
    }
    if (folder)
        closedir(folder);
    return folder && ran >= 0 ? count : -1;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int ran = run_path(argv[i]);
        if (ran <= 0) {
            fprintf(stderr, "%s: nothing could be run\n", argv[i]);
            return 1;
        }
        total += ran;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
