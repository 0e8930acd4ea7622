/*
 * cuda_layout.h - a group on one geometry as its kernel sees it: what the generated text and the parameters agree on.
 *
 *     typedef struct parameters {
 *         int64_t n[13];            counts that the kernel's kind gives a meaning
 *         uint64_t scalars[][2];    of the program; then begin and identity of each reduction
 *         char *a[];                by access: the first element of the nest
 *         int64_t shape[];          of the nest, slowest first
 *         int64_t strides[][];      by class, by dimension: accesses of equal strides are one class
 *     } parameters;
 */
#ifndef CNI_CUDA_LAYOUT_H
#define CNI_CUDA_LAYOUT_H

#include "base/arena.h"
#include "base/text.h"
#include "cuda/cuda_watch.h"
#include "exec/nest.h"

enum { CNI_CUDA_COUNTS = 13, CNI_CUDA_REDUCTIONS = 16 };

/* Counts with a meaning of their own: scratch memory; the block of the part that is the launch's first; the number of the
   GPU, and how many take part; the part's blocks of this launch; the table of floating-point events (events.cuh). */
enum {
    CNI_CUDA_SCRATCH = 7,
    CNI_CUDA_FIRST = 8,
    CNI_CUDA_GPU = 9,
    CNI_CUDA_PARTICIPANTS = 10,
    CNI_CUDA_BLOCKS = 11,
    CNI_CUDA_EVENTS = 12
};

typedef struct cni_cuda_layout {
    const cni_part *part;
    const cni_window *w;
    cni_nest nest;
    uint32_t nclass, nscalar, nreduction;
    uint32_t *class_of; /* by access */
    uint32_t *member;   /* by class: an access of it */
    bool wide;          /* indices need 64 bits */
    int64_t *words;     /* the parameters: shape and strides are filled in */
    size_t size;        /* bytes */
    uint32_t pushed; /* an access along whose memory blocks go, which store elsewhere (cuda_text_turn.c), or CNI_NONE */
    cni_cuda_watch watch;
} cni_cuda_layout;

/* False without memory, or if a kernel cannot take the parameters. */
bool cni_cuda_layout_make(const cni_part *part, const cni_window *w, cni_arena *arena, cni_cuda_layout *out);

/* Where a member of the parameters begins, in words. */
size_t cni_cuda_layout_scalar(const cni_cuda_layout *l, uint32_t scalar);
size_t cni_cuda_layout_address(const cni_cuda_layout *l, uint32_t access);

/* Bytes between elements of the access in the innermost dimension. */
int64_t cni_cuda_layout_inner(const cni_cuda_layout *l, uint32_t access);

/* A type of that size for elements that are only moved: 1, 2, 4, 8 or 16 bytes. */
const char *cni_cuda_word(int64_t itemsize);

const char *cni_cuda_type(const cni_cuda_layout *l, uint32_t access);

/* Is there a slot that is loaded after it was stored? Then an element is done before the next begins. */
bool cni_cuda_loads_what_it_stored(const cni_part *part);

/* Define the bounds of a kernel of which so many blocks are to be on a processor, whatever registers that leaves (prelude.cuh). */
#define CNI_CUDA_TWO_BLOCKS "#undef CNI_BOUNDS\n#define CNI_BOUNDS __launch_bounds__(256, 2)\n"
#define CNI_CUDA_SIX_BLOCKS "#undef CNI_BOUNDS\n#define CNI_BOUNDS __launch_bounds__(256, 6)\n"
#define CNI_CUDA_FOUR_BLOCKS "#undef CNI_BOUNDS\n#define CNI_BOUNDS __launch_bounds__(256, 4)\n"

/* Appends the names that every part of a text has for itself. */
void cni_cuda_layout_names(uint32_t number, cni_text *text);

/* Appends the includes of what programs use (cni_statements.headers), and of what events take. */
void cni_cuda_layout_headers(bool headers, bool events, cni_text *text);

/* Appends index_t and the struct. */
void cni_cuda_layout_write(const cni_cuda_layout *l, cni_text *text);

/* Appends `const index_t i<d> = ...;`: the index of dimension d, which is taken off `rest`. */
void cni_cuda_index_write(int d, cni_text *text);

/* Appends the statement of an OP, CAST or MOVE; then what is looked at of it, or, ask, all that is asked. */
void cni_cuda_statement(const cni_cuda_layout *l, cni_statements *x, uint32_t i, bool ask, cni_text *text);

/* Appends the end of statements that ask: what they saw goes into the kernel's table. */
void cni_cuda_events_write(const cni_cuda_layout *l, cni_text *text);

/* Appends `const <type> r<k> = <the parameter>;` for each scalar of the program; p: "p." or "p->". */
void cni_cuda_scalars_write(const cni_cuda_layout *l, const char *p, cni_text *text);

/* The kernel of groups of one launch, bound to one geometry. */
typedef struct cni_cuda_group cni_cuda_group;

struct cni_run;

/*
 * Binds the first parts of a launch as one kernel: as many of count as go together, at least one. CN_ERROR_UNSUPPORTED if
 * the first cannot be said or compiled.
 */
struct cni_placed_part;
cn_status cni_cuda_group_bind(const struct cni_placed_part *parts, uint32_t count, uint32_t *taken,
                              cni_cuda_group **out);
void cni_cuda_group_unbind(cni_cuda_group *g);
int64_t cni_cuda_group_scratch(const cni_cuda_group *g);
void cni_cuda_group_run(cni_cuda_group *g, const struct cni_run *run);

/* cni_place's bind_range and range (exec/place.h). */
struct cni_left;
cn_status cni_cuda_range_bind(const cni_part *part, const cni_window *w, cni_cuda_group **out);
cn_status cni_cuda_range_run(cni_cuda_group *g, const struct cni_run *run, int64_t from, int64_t to,
                             const struct cni_left **left);

/* cni_place's bind_rows and rows. */
cn_status cni_cuda_rows_bind(const cni_part *part, const cni_window *w, bool apart, cni_cuda_group **out);
cn_status cni_cuda_rows_run(cni_cuda_group *g, const struct cni_run *run, int64_t before, void *const *rows);

/* What a range of a reduction leaves in scratch memory, behind all else: by result, so many words. */
typedef struct cni_cuda_left {
    int64_t results, elements, leaves;
    uint32_t count, words;
    uint32_t word[CNI_CUDA_REDUCTIONS]; /* by reduction: where it begins */
    bool sum[CNI_CUDA_REDUCTIONS], parts[CNI_CUDA_REDUCTIONS];
} cni_cuda_left;

/* Of a reduction of rows: all of them; or some of those that places reduce one after the other: each run of them by itself, or
   all, from where the places before have ended; or all, of which each GPU does what it has (never asked for). */
typedef enum cni_cuda_link { CNI_CUDA_WHOLE, CNI_CUDA_APART, CNI_CUDA_ON, CNI_CUDA_THROUGH } cni_cuda_link;

/* What is left of some in scratch memory, 16 bytes a value: by reduction, by run, by result. */
typedef struct cni_cuda_rows {
    int64_t results, runs;
    uint32_t count;
    int64_t bytes[CNI_CUDA_REDUCTIONS]; /* of a run */
    bool apart[CNI_CUDA_REDUCTIONS];    /* each run counts; else the first has all */
} cni_cuda_rows;

/* How a kernel is started: what text writers decide. */
typedef struct cni_cuda_shape {
    bool range;         /* asked for: a reduction of which places do ranges of elements */
    cni_cuda_left left; /* of it */
    cni_cuda_link link; /* asked for, of rows */
    cni_cuda_rows rows; /* of a reduction of some */
    int64_t blocks, finish_blocks;
    unsigned x, y, finish_x, finish_y;
    int64_t scratch,
        zeroed;      /* bytes; of them, zeroed before each run (the first ones); every GPU has zeroed ones of its own */
    int64_t shared;  /* bytes of a block's memory that the kernel's parts have taken so far */
    int64_t through; /* bytes that are read of rows which GPUs do one after the other (CNI_CUDA_THROUGH); else 0 */
    bool several;    /* a thread of some part has several elements on their way */
    bool no_trial;   /* some part has no cold form (cuda_trial.h) */
} cni_cuda_shape;

/* Append the kernel of a group that reduces; false if it cannot be said. Sets the layout's counts. */
bool cni_cuda_text_reduce(cni_cuda_layout *l, cni_statements *x, cni_text *text, cni_cuda_shape *shape);

/* The same for groups that do not: a function for each, numbered from 0, then the kernel that shares its blocks among them. */
bool cni_cuda_text_map(cni_cuda_layout *l, cni_statements *x, uint32_t number, cni_text *text, cni_cuda_shape *shape);

/* Of those, what is loaded along other rows than it is stored; false: the group is no such. cni_cuda_text_map asks it first. */
bool cni_cuda_text_turn(cni_cuda_layout *l, cni_statements *x, uint32_t number, cni_text *text, cni_cuda_shape *shape);
void cni_cuda_text_map_end(uint32_t count, cni_text *text);

#endif
