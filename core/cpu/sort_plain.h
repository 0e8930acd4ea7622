/*
 * sort_plain.h - the steps of sort_keys.h in plain C. Included for each KEY; F(name) is name for it.
 */

static void F(small)(const KEY *from, int64_t n, KEY *to)
{
    for (int64_t i = 0; i < n; i++) {
        KEY key = from[i];
        int64_t k = i;
        for (; k > 0 && to[k - 1] > key; k--) {
            to[k] = to[k - 1];
        }
        to[k] = key;
    }
}

/* Keys below the bound to the front; how many. */
static int64_t F(split)(KEY *keys, int64_t n, KEY bound)
{
    int64_t left = 0;
    for (int64_t i = 0; i < n; i++) {
        KEY key = keys[i];
        keys[i] = keys[left];
        keys[left] = key;
        left += key < bound;
    }
    return left;
}

static void F(lines)(void *keys, int64_t lines, int64_t length)
{
    KEY *line = keys;
    for (int64_t k = 0; k < lines; k++, line += length) {
        F(small)(line, length, line);
    }
}

static void F(classify)(const void *keys, int64_t n, const void *splitters, uint8_t *bucket, int64_t *counts)
{
    const KEY *from = keys, *s = splitters;
    for (int64_t i = 0; i < n; i++) {
        const KEY *below = s - 1; /* 8 halvings of 255 */
        for (int half = CNI_BUCKETS / 2; half > 0; half /= 2) {
            below += below[half] <= from[i] ? half : 0;
        }
        bucket[i] = (uint8_t)(below - (s - 1));
        counts[bucket[i]]++;
    }
}

static void F(scatter_begin)(cni_scatter *s, const int64_t *at, void *to, bool stream)
{
    memcpy(s->at, at, sizeof s->at);
    s->to = to;
    s->stream = stream;
}

static void F(scatter)(cni_scatter *s, const void *keys, int64_t n, const uint8_t *bucket)
{
    const KEY *from = keys;
    KEY *out = s->to;
    for (int64_t i = 0; i < n; i++) {
        out[s->at[bucket[i]]++] = from[i];
    }
}

static void F(scatter_end)(cni_scatter *s)
{
    (void)s;
}
