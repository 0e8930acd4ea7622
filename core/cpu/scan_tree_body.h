/* scan_tree_body.h - see scan_tree.h; included by scan_tree.c for each type: T the type, F(name) a function of it. */

/* A leaf is complete, of number `index`: its sum, joined with those of equal size before it, becomes a node. */
static void F(push)(cni_scan_nodes *s, int64_t index, T sum)
{
    for (; (index & 1) != 0; index >>= 1) {
        sum = (T)s->node[--s->count] + sum;
    }
    s->upto[s->count] = s->count > 0 ? (T)s->upto[s->count - 1] + sum : sum;
    s->node[s->count++] = sum;
}

static void F(run_end)(cni_scan_state *s)
{
    int64_t run = s->n / CNI_SCAN_RUN - 1;
    F(push)(&s->runs, run % CNI_SCAN_RUNS, (T)s->run);
    if ((run + 1) % CNI_SCAN_RUNS == 0) {
        F(push)(&s->tiles, run / CNI_SCAN_RUNS, (T)s->runs.node[0]);
        s->runs.count = 0;
    }
}

static inline void F(store)(char *out, int64_t out_step, int n, const T *sums, const cni_scan_state *s)
{
    const int has_before = s->runs.count > 0, has_earlier = s->tiles.count > 0;
    const T before = has_before ? (T)s->runs.upto[s->runs.count - 1] : 0;
    const T earlier = has_earlier ? (T)s->tiles.upto[s->tiles.count - 1] : 0;
    for (int k = 0; k < n; k++) {
        const T here = has_before ? before + sums[k] : sums[k];
        *(T *)(void *)(out + k * out_step) = has_earlier ? earlier + here : here;
    }
}

static void F(some)(cni_scan_state *s, int n, const char *in, int64_t in_step, char *out, int64_t out_step)
{
    T sums[CNI_SCAN_RUN], total = (T)s->run;
    for (int k = 0; k < n; k++) {
        const T x = *(const T *)(const void *)(in + k * in_step);
        total = k == 0 && s->n % CNI_SCAN_RUN == 0 ? x : total + x;
        sums[k] = total;
    }
    F(store)(out, out_step, n, sums, s);
    s->run = total;
    s->n += n;
    if (s->n % CNI_SCAN_RUN == 0) {
        F(run_end)(s);
    }
}

/* Whole runs that are contiguous. */
static void F(run)(cni_scan_state *s, const T *in, T *out)
{
    T sums[CNI_SCAN_RUN];
    sums[0] = in[0];
    for (int k = 1; k < CNI_SCAN_RUN; k++) {
        sums[k] = sums[k - 1] + in[k];
    }
    F(store)((char *)out, sizeof(T), CNI_SCAN_RUN, sums, s);
    s->run = sums[CNI_SCAN_RUN - 1];
    s->n += CNI_SCAN_RUN;
    F(run_end)(s);
}

void F(cni_scan_tree)(cni_scan_state *s, int64_t n, const char *in, int64_t in_step, char *out, int64_t out_step)
{
    const int contiguous = in_step == sizeof(T) && out_step == sizeof(T);
    while (n > 0) {
        int64_t room = CNI_SCAN_RUN - s->n % CNI_SCAN_RUN, count = n < room ? n : room;
        if (contiguous && count == CNI_SCAN_RUN) {
            F(run)(s, (const T *)(const void *)in, (T *)(void *)out);
        } else {
            F(some)(s, (int)count, in, in_step, out, out_step);
        }
        n -= count;
        in += count * in_step;
        out += count * out_step;
    }
}

double F(cni_scan_tile)(const char *in, int64_t in_step)
{
    T sums[CNI_SCAN_RUNS];
    for (int run = 0; run < CNI_SCAN_RUNS; run++) {
        T total = *(const T *)(const void *)in;
        in += in_step;
        for (int k = 1; k < CNI_SCAN_RUN; k++, in += in_step) {
            total += *(const T *)(const void *)in;
        }
        sums[run] = total;
    }
    for (int half = CNI_SCAN_RUNS / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            sums[i] = sums[2 * i] + sums[2 * i + 1];
        }
    }
    return (double)sums[0];
}

void F(cni_scan_tree_skip)(cni_scan_state *s, int64_t ntiles, const double *sums)
{
    for (int64_t i = 0; i < ntiles; i++) {
        F(push)(&s->tiles, s->n / CNI_SCAN_TILE, (T)sums[i]);
        s->n += CNI_SCAN_TILE;
    }
}
