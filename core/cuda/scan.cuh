/*
 * scan.cuh - accumulations along one axis, in order: a thread a line. FOLD(a, b) is the text's. LINK: each line goes on from
 * what p.link has of it, if goes_on, and leaves there what it has come to; else from the result before its first.
 */
enum { DIMS = 8, AHEAD = 8 };

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    const char *in;
    char *out, *scratch;
    int64_t lines, length, in_step, out_step, per_line;
    int64_t nouter, outer[DIMS], in_outer[DIMS], out_outer[DIMS];
    char *link;
    int64_t goes_on;
    uint64_t identity;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    int64_t line = (p.begin + (int64_t)blockIdx.x) * blockDim.x + threadIdx.x;
    if (line >= p.lines) {
        return;
    }
#if LINK
    TYPE *const link = (TYPE *)p.link + line;
#endif
    const char *in = p.in;
    char *out = p.out;
    for (int d = (int)p.nouter - 1; d >= 0; d--) {
        const int64_t at = line % p.outer[d];
        line /= p.outer[d];
        in += at * p.in_outer[d];
        out += at * p.out_outer[d];
    }
    TYPE total = *(const TYPE *)in;
    if (p.goes_on != 0) {
#if LINK
        total = FOLD(*link, total);
#else
        total = FOLD(*(const TYPE *)(out - p.out_step), total);
#endif
    }
    *(TYPE *)out = total;
    int64_t i = 1;
    for (; i + AHEAD <= p.length; i += AHEAD) {
        TYPE ahead[AHEAD];
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            ahead[k] = *(const TYPE *)(in + (i + k) * p.in_step);
        }
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            total = FOLD(total, ahead[k]);
            *(TYPE *)(out + (i + k) * p.out_step) = total;
        }
    }
    for (; i < p.length; i++) {
        total = FOLD(total, *(const TYPE *)(in + i * p.in_step));
        *(TYPE *)(out + i * p.out_step) = total;
    }
#if LINK
    *link = total;
#endif
}
