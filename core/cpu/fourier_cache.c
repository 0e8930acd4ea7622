/* fourier_cache.c - plans of the lengths used last, within a limit of memory; see fourier.h. */
#include <pthread.h>

#include "cpu/fourier.h"

enum { ENTRIES = 32, SIZES = 64 };
static const int64_t most_bytes = INT64_C(64) << 20;

typedef struct entry {
    cni_fourier *f;
    int64_t bytes;
    uint64_t used; /* when, by the count of uses */
    int users;
} entry;

static struct {
    pthread_mutex_t lock;
    entry entries[ENTRIES];
    int64_t bytes;
    uint64_t uses;
    struct {
        int64_t n;
        bool real;
        cni_fourier_size size;
    } sizes[SIZES]; /* asked last, by length */
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void forget(entry *e)
{
    cni_free(e->f);
    cache.bytes -= e->bytes;
    *e = (entry){0};
}

/* The entry that is to go first; NULL: all are in use. */
static entry *oldest(bool with_plan)
{
    entry *found = NULL;
    for (int i = 0; i < ENTRIES; i++) {
        entry *e = &cache.entries[i];
        if (e->users == 0 && (!with_plan || e->f != NULL) && (found == NULL || e->used < found->used)) {
            found = e;
        }
    }
    return found;
}

static cni_fourier *make(int64_t n, bool real, const cni_fourier_size *size)
{
    void *memory = cni_alloc((size_t)size->bytes), *spare = cni_alloc((size_t)size->spare);
    cni_fourier *f = NULL;
    if (memory != NULL && spare != NULL) {
        f = cni_fourier_make(n, real, memory, spare);
    } else {
        cni_free(memory);
    }
    cni_free(spare);
    return f;
}

/* With the lock. */
static cni_fourier_size size_of(int64_t n, bool real)
{
    int i = (int)((uint64_t)n * 2 + real) % SIZES;
    if (cache.sizes[i].n != n || cache.sizes[i].real != real) {
        cache.sizes[i].size = cni_fourier_measure(n, real);
        cache.sizes[i].n = n;
        cache.sizes[i].real = real;
    }
    return cache.sizes[i].size;
}

cni_fourier_size cni_fourier_size_get(int64_t n, bool real)
{
    pthread_mutex_lock(&cache.lock);
    cni_fourier_size size = size_of(n, real);
    pthread_mutex_unlock(&cache.lock);
    return size;
}

static entry *enter(int64_t n, bool real)
{
    cni_fourier_size size = size_of(n, real);
    entry *e = NULL;
    if (size.bytes > most_bytes) {
        return NULL;
    }
    while (cache.bytes + size.bytes > most_bytes && (e = oldest(true)) != NULL) {
        forget(e);
    }
    e = oldest(false);
    cni_fourier *f = e != NULL && cache.bytes + size.bytes <= most_bytes ? make(n, real, &size) : NULL;
    if (f == NULL) {
        return NULL;
    }
    if (e->f != NULL) {
        forget(e);
    }
    *e = (entry){.f = f, .bytes = size.bytes};
    cache.bytes += size.bytes;
    return e;
}

cni_fourier *cni_fourier_get(int64_t n, bool real)
{
    entry *found = NULL;
    pthread_mutex_lock(&cache.lock);
    for (int i = 0; i < ENTRIES && found == NULL; i++) {
        const cni_fourier *f = cache.entries[i].f;
        if (f != NULL && f->n == n && f->real == real) {
            found = &cache.entries[i];
        }
    }
    found = found != NULL ? found : enter(n, real);
    if (found != NULL) {
        found->used = ++cache.uses;
        found->users++;
    }
    pthread_mutex_unlock(&cache.lock);
    return found != NULL ? found->f : NULL;
}

void cni_fourier_put(cni_fourier *f)
{
    pthread_mutex_lock(&cache.lock);
    for (int i = 0; i < ENTRIES; i++) {
        if (cache.entries[i].f == f) {
            cache.entries[i].users--;
        }
    }
    pthread_mutex_unlock(&cache.lock);
}
