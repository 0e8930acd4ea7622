/* Compiled groups: the cache on disk survives torn files and foreign ones; without a compiler tiles do the work. */
#include "cpu/compiler.h"
#include "exec/info.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings.h"
#include "check.h"
#include "cnumeric.h"
#include "base/compiler_cache.h"

static char directory[] = "/tmp/cnumeric-test-XXXXXX";

static uint64_t compilations(void)
{
    cn_stats stats;
    cn_stats_get(&stats);
    return stats.compilations;
}

static int value_of(const char *source)
{
    bool failed;
    cni_compiled *compiled = cni_compiler_ask(source, "a test");
    void *address = compiled != NULL ? cni_compiler_result(compiled, true, &failed) : NULL;
    int (*function)(void);
    memcpy(&function, &address, sizeof address);
    return address != NULL ? function() : -1;
}

static void path_in(char *path, const char *name)
{
    snprintf(path, 256, "%s/%s", directory, name);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    EXPECT(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void seals(void)
{
    char path[256];
    path_in(path, "sealed");
    write_text(path, "some bytes of a library");
    EXPECT(!cni_cache_valid(path, "key"));
    EXPECT(cni_cache_seal(path, "key"));
    EXPECT(cni_cache_valid(path, "key"));
    EXPECT(!cni_cache_valid(path, "kez"));
    EXPECT(!cni_cache_valid(path, "longer key"));
    EXPECT(chmod(path, 0622) == 0 && !cni_cache_valid(path, "key")); /* others could have written it */
    EXPECT(chmod(path, 0600) == 0 && cni_cache_valid(path, "key"));
    FILE *file = fopen(path, "r+");
    EXPECT(file != NULL && fputc('S', file) == 'S' && fclose(file) == 0);
    EXPECT(!cni_cache_valid(path, "key"));
    EXPECT(truncate(path, 20) == 0 && !cni_cache_valid(path, "key"));
    EXPECT(truncate(path, 0) == 0 && !cni_cache_valid(path, "key"));
    EXPECT(unlink(path) == 0 && !cni_cache_valid(path, "key"));
}

static void private_directory(void)
{
    static char path[256]; /* the setting goes on pointing to it */
    char found[256];
    path_in(path, "cache");
    cni_text_settings[CNI_TEXT_SETTING_CACHE] = path;
    cni_cache_directory(found, sizeof found);
    EXPECT(strcmp(found, path) == 0);
    EXPECT(chmod(path, 0755) == 0);
    cni_cache_directory(found, sizeof found);
    EXPECT(found[0] == '\0'); /* others can look into it: not used */
    const char *notice = cn_notice_take();
    EXPECT(notice != NULL && strstr(notice, path) != NULL);
    cni_cache_directory(found, sizeof found);
    EXPECT(cn_notice_take() == NULL); /* said once */
    EXPECT(chmod(path, 0700) == 0);
    cni_text_settings[CNI_TEXT_SETTING_CACHE] = "/proc/no/such/place";
    cni_cache_directory(found, sizeof found);
    EXPECT(found[0] == '\0');
    cni_text_settings[CNI_TEXT_SETTING_CACHE] = path;
}

static void compiled_once(void)
{
    uint64_t before = compilations();
    EXPECT(value_of("int cni_kernel(void) { return 42; }\n") == 42);
    EXPECT(value_of("int cni_kernel(void) { return 42; }\n") == 42);
    EXPECT(value_of("int cni_kernel(void) { return 43; }\n") == 43);
    EXPECT(compilations() - before == 2);
    EXPECT(value_of("int cni_kernel(void) { return nothing; }\n") == -1);
    EXPECT(value_of("int another(void) { return 1; }\n") == -1);
}

int main(void)
{
    EXPECT(mkdtemp(directory) != NULL);
    seals();
    private_directory();
    if (strncmp(cni_compiler_description(), "none: ", 6) == 0) {
        printf("no compiler here: tier 1 is not tested\n");
    } else {
        compiled_once();
    }
    char command[300];
    snprintf(command, sizeof command, "rm -r %s", directory);
    EXPECT(system(command) == 0);
    return finish("compiler");
}
