/*
 * sort_keys.h - sorting unsigned keys in memory that is (nearly) cached: quicksort in place, down to blocks that
 * sort_avx512.h or sort_plain.h sorts, to another buffer if asked. Should pivots keep failing, a radix sort takes over.
 * Included for each KEY; F(name) is name for it.
 */

/* Least significant digit first; the digits that all keys share are skipped. */
static void F(radix)(KEY *a, KEY *b, int64_t n, bool into_b)
{
    enum { DIGITS = sizeof(KEY) };
    int64_t counts[DIGITS][256] = {{0}};
    for (int64_t i = 0; i < n; i++) {
        KEY key = a[i];
        for (int d = 0; d < DIGITS; d++) {
            counts[d][key >> 8 * d & 255]++;
        }
    }
    for (int d = 0; d < DIGITS; d++) {
        int64_t *at = counts[d], before = 0;
        if (n == 0 || at[a[0] >> 8 * d & 255] == n) {
            continue;
        }
        for (int k = 0; k < 256; k++) {
            int64_t count = at[k];
            at[k] = before;
            before += count;
        }
        for (int64_t i = 0; i < n; i++) {
            b[at[a[i] >> 8 * d & 255]++] = a[i];
        }
        KEY *turn = a;
        a = b;
        b = turn;
        into_b = !into_b;
    }
    if (into_b) {
        memcpy(b, a, (size_t)n * sizeof(KEY));
    }
}

/* Middle of keys taken at equal distances. */
static KEY F(pivot)(const KEY *a, int64_t n)
{
    KEY sample[64];
    int count = n >= 2048 ? 64 : n >= 512 ? 32 : 8;
    int64_t step = n / count;
    for (int k = 0; k < count; k++) {
        sample[k] = a[k * step + step / 2];
    }
    F(small)(sample, count, sample);
    return sample[count / 2];
}

typedef struct F(task) {
    const int64_t *kth; /* NULL: everything */
    int64_t nkth;
    const char *ahead[2]; /* memory of the next sort, brought to the cache in step with this one; NULL: none */
} F(task);

static inline void F(fetch)(F(task) * t, int64_t n)
{
    if (t->ahead[0] != NULL) {
        for (int64_t i = 0; i < n; i += 64 / (int64_t)sizeof(KEY)) {
            __builtin_prefetch(t->ahead[0], 0, 2);
            __builtin_prefetch(t->ahead[1], 1, 2);
            t->ahead[0] += 64;
            t->ahead[1] += 64;
        }
    }
}

/* Is a wanted rank in [first, first + n)? */
static bool F(wanted)(const F(task) * t, int64_t first, int64_t n)
{
    if (t->kth == NULL) {
        return true;
    }
    int64_t low = 0, high = t->nkth;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (t->kth[middle] < first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->nkth && t->kth[low] < first + n;
}

/* Keys in a, none below low; the lowest has rank first. Left to be sorted in b or in a. */
static void F(range_sort)(F(task) * t, KEY *a, KEY *b, int64_t n, bool into_b, KEY low, int64_t first, int budget)
{
    while (n > MOST_SMALL) {
        if (!F(wanted)(t, first, n)) {
            if (into_b) {
                memcpy(b, a, (size_t)n * sizeof(KEY));
            }
            return;
        }
        if (budget-- == 0) {
            F(radix)(a, b, n, into_b);
            return;
        }
        KEY pivot = F(pivot)(a, n);
        bool least = pivot == low; /* then those equal to it are done */
        if (least && pivot == (KEY)-1) {
            if (into_b) {
                memcpy(b, a, (size_t)n * sizeof(KEY));
            }
            return;
        }
        int64_t left = F(split)(a, n, least ? pivot + 1 : pivot);
        if (!least) {
            F(range_sort)(t, a, b, left, into_b, low, first, budget);
        } else if (into_b) {
            memcpy(b, a, (size_t)left * sizeof(KEY));
        }
        a += left;
        b += left;
        low = least ? pivot + 1 : pivot;
        first += left;
        n -= left;
    }
    F(fetch)(t, n);
    F(small)(a, n, into_b ? b : a);
}

static int F(budget)(int64_t n)
{
    return 2 * (64 - __builtin_clzll((uint64_t)n | 1)) + 8;
}

static void F(sort)(void *keys, void *spare, int64_t n, bool to_spare, const void *ahead, void *ahead_spare)
{
    F(task) all = {.kth = NULL, .ahead = {ahead, ahead_spare}};
    if (n > RADIX_ABOVE) {
        F(radix)(keys, spare, n, to_spare);
    } else {
        F(range_sort)(&all, keys, spare, n, to_spare, 0, 0, F(budget)(n));
    }
}

static void F(select)(void *keys, void *spare, int64_t n, bool to_spare, const int64_t *kth, int64_t nkth,
                      int64_t first)
{
    F(task) some = {.kth = kth, .nkth = nkth};
    F(range_sort)(&some, keys, spare, n, to_spare, 0, first, F(budget)(n));
}

static bool F(sorted)(const void *keys, int64_t n)
{
    const KEY *k = keys;
    for (int64_t i = 1; i < n;) {
        int64_t end = n - i < 256 ? n : i + 256;
        KEY wrong = 0;
        for (; i < end; i++) {
            wrong |= k[i - 1] > k[i];
        }
        if (wrong != 0) {
            return false;
        }
    }
    return true;
}

static void F(range)(const void *keys, int64_t n, uint64_t *low, uint64_t *high)
{
    const KEY *k = keys;
    KEY least = k[0], most = k[0];
    for (int64_t i = 1; i < n; i++) {
        least = k[i] < least ? k[i] : least;
        most = k[i] > most ? k[i] : most;
    }
    *low = least;
    *high = most;
}

static void F(pack_32)(const void *keys, int64_t n, uint64_t low, int shift, int bits, int64_t first, uint32_t *out)
{
    const KEY *from = keys;
    for (int64_t i = 0; i < n; i++) {
        out[i] = (uint32_t)((KEY)(from[i] - (KEY)low) >> shift) << bits | (uint32_t)(first + i);
    }
}

static void F(pack_64)(const void *keys, int64_t n, uint64_t low, int shift, int bits, int64_t first, uint64_t *out)
{
    const KEY *from = keys;
    for (int64_t i = 0; i < n; i++) {
        out[i] = (uint64_t)((KEY)(from[i] - (KEY)low) >> shift) << bits | (uint64_t)(first + i);
    }
}
