/*
 * sort_avx512.h - the steps of sort_keys.h with AVX-512. Included for each KEY (32 or 64 bits) of LANES to a vector;
 * F(name) is name for it. The caller defines the few intrinsics that differ in their names.
 *
 * Sorted blocks: ROWS vectors are sorted as LANES columns by a network of whole-vector exchanges; then columns are
 * merged in pairs, fours, ... (bitonic: the sequence runs down the columns), and the block is turned to lie in rows.
 *
 *      lane   0   1   2 ..        merge of columns 0 and 1: row r of column 0 meets row ROWS-1-r of column 1,
 *   row 0    a0  b0  c0           after which halving distances of rows finish both; no lanes are crossed but in the
 *   row 1    a1  b1  c1           first step (and, for wider merges, in steps between columns)
 */

ONE_LINE void F(order)(V *a, V *b)
{
    V low = F(min)(*a, *b);
    *b = F(other)(*a, *b, low);
    *a = low;
}

ONE_LINE V F(lanes_xor)(V v, int x)
{
    return F(permute)(v, F(xor)(F(iota)(), F(set1)((KEY)x)));
}

/* Lanes whose number has the bit. */
ONE_LINE MASK F(lanes_with)(int bit)
{
    unsigned mask = 0;
    for (int l = 0; l < LANES; l++) {
        mask |= (l & bit) != 0 ? 1u << l : 0;
    }
    return (MASK)mask;
}

ONE_LINE void F(columns_8)(V *v)
{
    static const uint8_t pairs[19][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 1}, {2, 3},
                                         {4, 5}, {6, 7}, {2, 4}, {3, 5}, {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6}};
#pragma GCC unroll 19
    for (int i = 0; i < 19; i++) {
        F(order)(&v[pairs[i][0]], &v[pairs[i][1]]);
    }
}

ONE_LINE void F(columns_16)(V *v)
{
    static const uint8_t pairs[60][2] = {
        /* Green's */
        {0, 1},   {2, 3},  {4, 5},   {6, 7},   {8, 9},   {10, 11}, {12, 13}, {14, 15}, {0, 2},  {1, 3},
        {4, 6},   {5, 7},  {8, 10},  {9, 11},  {12, 14}, {13, 15}, {0, 4},   {1, 5},   {2, 6},  {3, 7},
        {8, 12},  {9, 13}, {10, 14}, {11, 15}, {0, 8},   {1, 9},   {2, 10},  {3, 11},  {4, 12}, {5, 13},
        {6, 14},  {7, 15}, {5, 10},  {6, 9},   {3, 12},  {13, 14}, {4, 8},   {7, 11},  {1, 2},  {1, 4},
        {7, 13},  {2, 8},  {11, 14}, {2, 4},   {5, 6},   {9, 10},  {11, 13}, {3, 8},   {7, 12}, {6, 8},
        {10, 12}, {3, 5},  {7, 9},   {3, 4},   {5, 6},   {7, 8},   {9, 10},  {11, 12}, {6, 7},  {8, 9}};
#pragma GCC unroll 60
    for (int i = 0; i < 60; i++) {
        F(order)(&v[pairs[i][0]], &v[pairs[i][1]]);
    }
}

ONE_LINE void F(columns)(V *v, int rows)
{
    if (rows == 16) {
        F(columns_16)(v);
    } else if (rows == 8) {
        F(columns_8)(v);
    } else if (rows == 4) {
        F(order)(&v[0], &v[1]);
        F(order)(&v[2], &v[3]);
        F(order)(&v[0], &v[2]);
        F(order)(&v[1], &v[3]);
        F(order)(&v[1], &v[2]);
    }
}

/* Each lane with the one whose number differs in x: the lower number takes the lesser key. */
ONE_LINE V F(exchange_lanes)(V v, int x, int bit)
{
    V other = F(lanes_xor)(v, x);
    return F(mask_other)(F(lanes_with)(bit), v, other, F(min)(v, other));
}

/* Merges neighbouring groups of columns: group columns each into sequences of twice as many. */
ONE_LINE void F(merge_columns)(V *v, int rows, int group)
{
    if (rows == 1) {
        v[0] = F(exchange_lanes)(v[0], 2 * group - 1, group);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows / 2; r++) {
        V a = v[r], b = F(lanes_xor)(v[rows - 1 - r], 2 * group - 1), low = F(min)(a, b);
        MASK upper = F(lanes_with)(group);
        v[r] = F(mask_other)(upper, a, b, low);
        v[rows - 1 - r] = F(lanes_xor)(F(mask_other)((MASK)~upper, a, b, low), 2 * group - 1);
    }
#pragma GCC unroll 4
    for (int distance = group / 2; distance > 0; distance /= 2) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            v[r] = F(exchange_lanes)(v[r], distance, distance);
        }
    }
#pragma GCC unroll 4
    for (int distance = rows / 2; distance > 0; distance /= 2) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            if ((r & distance) == 0) {
                F(order)(&v[r], &v[r + distance]);
            }
        }
    }
}

/* Columns of rows vectors, each as lanes of one vector: `rows` below, at and above LANES. */
ONE_LINE void F(turn)(V *v, int rows)
{
    if (rows == 2 * LANES) {
        V low[LANES], high[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            low[r] = v[r];
            high[r] = v[(r + LANES) % (2 * LANES)];
        }
        F(transpose)(low);
        F(transpose)(high);
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            v[2 * r % (2 * LANES)] = low[r];
            v[(2 * r + 1) % (2 * LANES)] = high[r];
        }
    } else if (rows == LANES) {
        F(transpose)(v);
    } else if (rows == LANES / 2) {
        V all[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            all[r] = v[r % (LANES / 2)];
        }
        F(transpose)(all);
#pragma GCC unroll 16
        for (int r = 0; r < LANES / 2; r++) {
            v[r] = F(halves)(all[2 * r], all[2 * r + 1]);
        }
    }
}

ONE_LINE MASK F(first)(int64_t n)
{
    return n >= LANES ? (MASK)-1 : n <= 0 ? 0 : (MASK)((1u << n) - 1);
}

ONE_LINE void F(block)(const KEY *from, int64_t n, KEY *to, int rows)
{
    V v[16];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        v[r] = F(load)(F(set1)((KEY)-1), F(first)(n - r * LANES), from + r * LANES);
    }
    F(columns)(v, rows);
#pragma GCC unroll 4
    for (int group = 1; group < LANES; group *= 2) {
        F(merge_columns)(v, rows, group);
    }
    F(turn)(v, rows);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        F(store)(to + r * LANES, F(first)(n - r * LANES), v[r]);
    }
}

static __attribute__((noinline)) void F(block_1)(const KEY *from, int64_t n, KEY *to)
{
    F(block)(from, n, to, 1);
}

static __attribute__((noinline)) void F(block_half)(const KEY *from, int64_t n, KEY *to)
{
    F(block)(from, n, to, LANES / 2);
}

static __attribute__((noinline)) void F(block_square)(const KEY *from, int64_t n, KEY *to)
{
    F(block)(from, n, to, LANES);
}

static __attribute__((noinline)) void F(block_16)(const KEY *from, int64_t n, KEY *to)
{
    F(block)(from, n, to, 16);
}

/* Up to 16 vectors. */
static void F(small)(const KEY *from, int64_t n, KEY *to)
{
    if (n <= LANES) {
        F(block_1)(from, n, to);
    } else if (n <= LANES * LANES / 2) {
        F(block_half)(from, n, to);
    } else if (n <= LANES * LANES) {
        F(block_square)(from, n, to);
    } else {
        F(block_16)(from, n, to);
    }
}

enum { F(BLOCK_VECTORS) = 8, F(BLOCK) = F(BLOCK_VECTORS) * LANES };

ONE_LINE void F(load_block)(V *v, const KEY *from)
{
#pragma GCC unroll 8
    for (int k = 0; k < F(BLOCK_VECTORS); k++) {
        v[k] = F(load_all)(from + k * LANES);
    }
}

/* Keys below the limit to the left end of what is free, the others to its right end. */
ONE_LINE void F(share_out)(V v, V limit, KEY **left, KEY **right)
{
    MASK below = F(less)(v, limit);
    int count = __builtin_popcount(below);
    F(store_both)(*left, *right, v, below, count);
    *left += count;
    *right -= LANES - count;
}

ONE_LINE void F(share_out_block)(const V *v, V limit, KEY **left, KEY **right)
{
#pragma GCC unroll 8
    for (int k = 0; k < F(BLOCK_VECTORS); k++) {
        F(share_out)(v[k], limit, left, right);
    }
}

/*
 * In place, of at least two blocks. A block of each end is held back, so that places are free at both; the next block is
 * read at the end where fewer are, and then either end has room for all of it.
 *
 *     written | free | to be read ... | free | written
 *            left    next             end    right
 */
static int64_t F(split)(KEY *keys, int64_t n, KEY bound)
{
    const V limit = F(set1)(bound);
    KEY *left = keys, *right = keys + n, rest[F(BLOCK)];
    V first[F(BLOCK_VECTORS)], last[F(BLOCK_VECTORS)], some[F(BLOCK_VECTORS)];
    int64_t odd = n % F(BLOCK);
    memcpy(rest, keys, (size_t)odd * sizeof(KEY));
    const KEY *next = keys + odd, *end = keys + n - F(BLOCK);
    F(load_block)(first, next);
    F(load_block)(last, end);
    for (next += F(BLOCK); next < end;) {
        if (right - end <= next - left) {
            end -= F(BLOCK);
            F(load_block)(some, end);
        } else {
            F(load_block)(some, next);
            next += F(BLOCK);
        }
        F(share_out_block)(some, limit, &left, &right);
    }
    MASK there = F(first)(odd % LANES);
    V few = F(load)(limit, there, rest);
    MASK below = F(less)(few, limit); /* what is not there is not */
    F(compress_store)(left, below, few);
    left += __builtin_popcount(below);
    right -= __builtin_popcount((MASK)(there & (MASK)~below));
    F(compress_store)(right, (MASK)(there & (MASK)~below), few);
    for (int64_t i = odd % LANES; i < odd; i += LANES) { /* a multiple of LANES places is free from now on */
        F(share_out)(F(load_all)(rest + i), limit, &left, &right);
    }
    F(share_out_block)(first, limit, &left, &right);
    F(share_out_block)(last, limit, &left, &right);
    return left - keys;
}

/* LANES lines of up to LANES keys, a line to a column. */
ONE_LINE void F(lines_turned)(KEY *line, int64_t count, int64_t length, int rows)
{
    V v[2 * LANES];
    enum { MOST = 2 * LANES };
#pragma GCC unroll 16
    for (int k = 0; k < LANES; k++) {
        MASK some = k < count ? F(first)(length) : 0;
        v[k] = F(load)(F(set1)((KEY)-1), some, line + (k < count ? k : 0) * length);
        if (rows > LANES) {
            MASK more = k < count ? F(first)(length - LANES) : 0;
            v[(LANES + k) % MOST] = F(load)(F(set1)((KEY)-1), more, line + (k < count ? k : 0) * length + LANES);
        }
    }
    F(transpose)(v);
    if (rows > LANES) {
        F(transpose)(v + LANES);
    }
    F(columns)(v, rows);
    F(transpose)(v);
    if (rows > LANES) {
        F(transpose)(v + LANES);
    }
#pragma GCC unroll 16
    for (int k = 0; k < LANES; k++) {
        if (k < count) {
            F(store)(line + k * length, F(first)(length), v[k]);
            if (rows > LANES) {
                F(store)(line + k * length + LANES, F(first)(length - LANES), v[(LANES + k) % MOST]);
            }
        }
    }
}

static void F(lines)(void *keys, int64_t lines, int64_t length)
{
    KEY *line = keys;
    for (int64_t k = 0; k < lines; k += LANES, line += LANES * length) {
        int64_t count = lines - k < LANES ? lines - k : LANES;
        if (length <= 4) {
            F(lines_turned)(line, count, length, 4);
        } else if (length <= 8) {
            F(lines_turned)(line, count, length, 8);
        } else {
            F(lines_turned)(line, count, length, 16);
        }
    }
}

/*
 * The splitters as a search tree: its first 63 nodes lie in registers, a level in 1, 1, 1, 1, 2, 4 permutations; the
 * last two levels are gathered. Node i has the children 2 i and 2 i + 1.
 */
static void F(tree)(const KEY *splitters, KEY *tree)
{
    for (int node = 1; node < CNI_BUCKETS; node++) {
        int level = 31 - __builtin_clz((unsigned)node), width = CNI_BUCKETS >> level;
        tree[node] = splitters[(node - (1 << level)) * width + width / 2 - 1];
    }
    tree[0] = 0;
}

/* tree[node], of nodes [2 * LANES * k, 2 * LANES * (k + 1)) for k in [0, parts) and below. */
ONE_LINE V F(pick)(const V *tree, int first, int parts, V node)
{
    V found = F(permute_two)(tree[2 * first], node, tree[2 * first + 1]);
#pragma GCC unroll 4
    for (int k = 1; k < parts; k++) {
        V next = F(permute_two)(tree[2 * (first + k)], node, tree[2 * (first + k) + 1]);
        found = F(blend)(F(at_least)(node, F(set1)((KEY)((first + k) * 2 * LANES))), found, next);
    }
    return found;
}

static void F(classify)(const void *keys, int64_t n, const void *splitters, uint8_t *bucket, int64_t *counts)
{
    enum { IN_REGISTERS = 64 / LANES, GROUP = 4 };
    const KEY *from = keys;
    KEY tree[CNI_BUCKETS];
    uint32_t tally[4][CNI_BUCKETS] = {{0}};
    V nodes[IN_REGISTERS];
    F(tree)(splitters, tree);
#pragma GCC unroll 8
    for (int k = 0; k < IN_REGISTERS; k++) {
        nodes[k] = F(load_all)(tree + k * LANES);
    }
    for (int64_t i = 0; i < n; i += GROUP * LANES) {
        V key[GROUP], node[GROUP];
        int64_t left = n - i;
#pragma GCC unroll 4
        for (int g = 0; g < GROUP; g++) {
            key[g] = F(load)(F(set1)(0), F(first)(left - g * LANES), from + i + g * LANES);
            node[g] = F(set1)(1);
        }
#pragma GCC unroll 8
        for (int level = 0; level < 8; level++) {
            int first = (1 << level) / (2 * LANES), parts = first == 0 ? 1 : first;
#pragma GCC unroll 4
            for (int g = 0; g < GROUP; g++) {
                V at = level < 6 ? F(pick)(nodes, first, parts, node[g]) : F(gather)(tree, node[g]);
                MASK up = F(at_least)(key[g], at);
                node[g] = F(add)(node[g], node[g]);
                node[g] = F(mask_add)(node[g], up, node[g], F(set1)(1));
            }
        }
#pragma GCC unroll 4
        for (int g = 0; g < GROUP; g++) {
            F(store_bytes)(bucket + i + g * LANES, F(first)(left - g * LANES), node[g]);
        }
    }
    for (int64_t begin = 0; begin < n; begin += INT64_C(1) << 31) {
        int64_t end = n - begin > INT64_C(1) << 31 ? begin + (INT64_C(1) << 31) : n, i = begin;
        for (; i + 4 <= end; i += 4) {
            tally[0][bucket[i]]++;
            tally[1][bucket[i + 1]]++;
            tally[2][bucket[i + 2]]++;
            tally[3][bucket[i + 3]]++;
        }
        for (; i < end; i++) {
            tally[0][bucket[i]]++;
        }
        for (int b = 0; b < CNI_BUCKETS; b++) {
            counts[b] += (int64_t)tally[0][b] + tally[1][b] + tally[2][b] + tally[3][b];
        }
        memset(tally, 0, sizeof tally);
    }
}

/*
 * Keys gather in a cache line for each bucket, which goes to memory when it is full. A bucket's first
 * and last line are shared with its neighbours, or with other threads, and written in part.
 */
static void F(scatter_begin)(cni_scatter *s, const int64_t *at, void *to, bool stream)
{
    int64_t skew = (int64_t)((uintptr_t)to / sizeof(KEY) % LANES); /* places are counted from a line's begin */
    for (int b = 0; b < CNI_BUCKETS; b++) {
        s->begin[b] = s->at[b] = at[b] + skew;
    }
    s->to = (KEY *)to - skew;
    s->stream = stream;
}

static void F(scatter)(cni_scatter *s, const void *keys, int64_t n, const uint8_t *bucket)
{
    const KEY *from = keys;
    KEY(*lines)[LANES] = (KEY(*)[LANES])(void *)s->line, *out = s->to;
    for (int64_t i = 0; i < n && !s->stream; i++) {
        out[s->at[bucket[i]]++] = from[i];
    }
    for (int64_t i = 0; i < n && s->stream; i++) {
        int b = bucket[i];
        int64_t place = s->at[b]++, first = place - (LANES - 1);
        lines[b][place % LANES] = from[i];
        if (place % LANES == LANES - 1 && first >= s->begin[b]) {
            _mm512_stream_si512((void *)(out + first), F(load_all)(lines[b]));
        } else if (place % LANES == LANES - 1) {
            F(store)(out + first, (MASK)~F(first)(s->begin[b] - first), F(load_all)(lines[b]));
        }
    }
}

static void F(scatter_end)(cni_scatter *s)
{
    KEY(*lines)[LANES] = (KEY(*)[LANES])(void *)s->line, *out = s->to;
    for (int b = 0; b < CNI_BUCKETS && s->stream; b++) {
        int64_t first = s->at[b] / LANES * LANES;
        MASK some = (MASK)(F(first)(s->at[b] - first) & (MASK)~F(first)(s->begin[b] - first));
        F(store)(out + first, some, F(load_all)(lines[b]));
    }
    _mm_sfence();
}
