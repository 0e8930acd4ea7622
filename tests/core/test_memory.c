/* test_memory.c - large storage: where it begins, what of it is touched, and that it can be given back. */
#include "base/memory.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 24, ALIAS = 1 << 20, APART = 256 };

/* Low bits of addresses by which a processor takes a load for one of a store before it. */
static int64_t apart(const void *a, const void *b)
{
    int64_t d = (int64_t)(((uintptr_t)a - (uintptr_t)b) % ALIAS);
    return d < ALIAS - d ? d : ALIAS - d;
}

static void test_begins_are_apart(int64_t nbytes, bool reserve)
{
    char *memory[MANY];
    for (int i = 0; i < MANY; i++) {
        bool fresh;
        memory[i] = reserve ? cni_storage_reserve(nbytes, 0, nbytes, nbytes, &fresh) : cni_storage_alloc(nbytes);
        EXPECT(memory[i] != NULL && (uintptr_t)memory[i] % 64 == 0);
        memory[i][0] = memory[i][nbytes - 1] = (char)i;
        for (int k = 0; k < i; k++) {
            EXPECT(apart(memory[i], memory[k]) >= APART);
        }
    }
    for (int i = 0; i < MANY; i++) {
        EXPECT(memory[i][0] == (char)i && memory[i][nbytes - 1] == (char)i);
        if (reserve) {
            cni_storage_unreserve(memory[i], nbytes, nbytes);
        } else {
            cni_storage_free(memory[i], nbytes);
        }
    }
    cni_storage_trim();
}

static int64_t resident(char *memory, int64_t nbytes)
{
    static unsigned char pages[1 << 15];
    int64_t size = sysconf(_SC_PAGESIZE), count = 0;
    char *first = memory - (uintptr_t)memory % (uintptr_t)size;
    int64_t n = (memory + nbytes - first + size - 1) / size;
    EXPECT(n <= (int64_t)sizeof pages && mincore(first, (size_t)(n * size), pages) == 0);
    for (int64_t i = 0; i < n; i++) {
        count += pages[i] & 1;
    }
    return count * size;
}

static bool huge_without_asking(void)
{
    char line[80] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (file != NULL && fgets(line, sizeof line, file) == NULL) {
        line[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return strstr(line, "[always]") != NULL;
}

/* A place that has a part of a base touches that part, in huge pages too. */
static void test_a_part_alone_is_touched(void)
{
    int64_t nbytes = 64 << 20, low = 20 << 20, high = 37 << 20;
    bool fresh;
    char *memory = cni_storage_reserve(nbytes, low, high, high - low, &fresh);
    bool had = memory != NULL;
    EXPECT(had && fresh);
    if (!had) {
        return;
    }
    memset(memory + low, 1, (size_t)(high - low));
    memory[low - 5000] = memory[high + 5000] = 1; /* a halo */
    int64_t more = resident(memory, nbytes) - (high - low);
    EXPECT(more >= 0 && more < 1 << 20);
    cni_storage_unreserve(memory, nbytes, high - low);
    cni_storage_trim();
}

int main(void)
{
    test_begins_are_apart(8 << 20, false);
    test_begins_are_apart(8 << 20, true);
    test_begins_are_apart(3000000, false);
    test_begins_are_apart(1 << 20, true);
    if (!huge_without_asking()) {
        test_a_part_alone_is_touched();
    }
    return finish("test_memory");
}
