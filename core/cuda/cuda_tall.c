/* cuda_tall.c - see cuda_tall.h. */
#include "cuda/cuda_tall.h"

#include "cuda/cuda_layout.h"
#include "op/op.h"

enum { THREADS = 256, LANES = 8, SEGMENT = 2048 }; /* as tall.cuh has them */
enum { ROWS_LEAST = 16384, VECTOR_BYTES = 16 };
enum { ROW_LEAST = 64, ROW_MOST = 512, ROW_SHORT = 256 }; /* bytes, in registers; short: of two blocks */

/* A matrix such that result[i] is the sum over j of element (i, j) times the vector's j. */
typedef struct matrix {
    int64_t rows, columns, row_stride, column_stride;
} matrix;

/* Which operand is the matrix, which the vector; false if none is. */
static bool find_operands(const cni_geometry *out, const cni_geometry *a, const cni_geometry *b, cni_cuda_tall *t,
                          matrix *m)
{
    bool of_row = a->ndim == 1 || a->shape[0] == 1, of_column = b->ndim == 1 || b->shape[1] == 1;
    if (a->ndim > 2 || b->ndim > 2 || of_row == of_column) {
        return false;
    }
    const cni_geometry *g = of_column ? a : b, *v = of_column ? b : a;
    int down = of_column ? 0 : 1;
    *m = (matrix){g->shape[down], g->shape[1 - down], g->strides[down], g->strides[1 - down]};
    t->matrix = of_column ? 1 : 2;
    t->vector = 3 - t->matrix;
    t->vector_stride = v->strides[v->ndim == 1 || of_column ? 0 : 1];
    t->out_stride = out->strides[of_column ? 0 : out->ndim - 1];
    return true;
}

bool cni_cuda_tall_of(const cni_part *part, const cni_window *w, cni_cuda_tall *t)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), a = cni_cuda_operand(part, w, 1), b = cni_cuda_operand(part, w, 2);
    matrix m;
    int64_t size = out.itemsize;
    *t = (cni_cuda_tall){.dtype = cni_cuda_operand_dtype(part, w, 0)};
    if ((t->dtype != CN_FLOAT32 && t->dtype != CN_FLOAT64) || !find_operands(&out, &a, &b, t, &m)) {
        return false;
    }
    t->back = m.rows < m.columns;
    t->rows = t->back ? m.columns : m.rows;
    t->columns = t->back ? m.rows : m.columns;
    t->row_stride = t->back ? m.column_stride : m.row_stride;
    int64_t along = t->back ? m.row_stride : m.column_stride, offset = (t->matrix == 1 ? a : b).offset;
    t->elements = (int)(VECTOR_BYTES / size);
    while ((t->elements * size > size) && (t->row_stride % (t->elements * size) != 0 ||
                                           offset % (t->elements * size) != 0 || t->columns % t->elements != 0)) {
        t->elements /= 2;
    }
    return along == size && t->rows >= ROWS_LEAST && t->columns * size >= ROW_LEAST && t->columns * size <= ROW_MOST;
}

void cni_cuda_tall_set(const cni_cuda_tall *t, cni_cuda_tall_words *words)
{
    words->rows = t->rows;
    words->columns = t->columns;
    words->row_stride = t->row_stride;
    *(t->back ? &words->r_stride : &words->v_stride) = t->vector_stride;
    *(t->back ? &words->g_stride : &words->z_stride) = t->out_stride;
}

void cni_cuda_tall_text(const cni_cuda_tall *t, bool forward, bool back, cni_text *text)
{
    int64_t lots = (t->columns + LANES * t->elements - 1) / (LANES * t->elements);
    bool small = lots * LANES * t->elements * (int64_t)cn_dtype_size(t->dtype) <= ROW_SHORT;
    cni_text_add(text, "%s", small ? CNI_CUDA_TWO_BLOCKS : "");
    cni_text_add(text,
                 "#define CNI_COOPERATIVE\n#define TYPE %s\n#define FMA __builtin_fma%s\n#define VECTOR %d\n#define "
                 "CHUNKS %d\n#define FORWARD %d\n#define BACK %d\n#include \"cuda/tall.cuh\"\n%s",
                 cni_dtypes[t->dtype].type, t->dtype == CN_FLOAT32 ? "f" : "", t->elements, (int)lots, (int)forward,
                 (int)back, back ? "/* CNI_FINISH */\n" : "");
}

int64_t cni_cuda_tall_blocks(const cni_cuda_tall *t)
{
    return (t->rows + SEGMENT - 1) / SEGMENT;
}

int64_t cni_cuda_tall_scratch(const cni_cuda_tall *t)
{
    return cni_cuda_tall_blocks(t) * t->columns * (int64_t)cn_dtype_size(t->dtype);
}

bool cni_cuda_tall_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b)
{
    cni_cuda_tall t;
    cni_text text = {0};
    if (!cni_cuda_tall_of(part, w, &t)) {
        return false;
    }
    cni_cuda_tall_set(&t, &b->p.tall);
    cni_text_add(&text, "#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n");
    cni_cuda_tall_text(&t, !t.back, t.back, &text);
    b->blocks = cni_cuda_tall_blocks(&t);
    b->finish_blocks = t.back ? t.columns : 0;
    b->scratch = t.back ? cni_cuda_tall_scratch(&t) : 0;
    return b->blocks <= INT32_MAX && cni_cuda_library_compiled(b, &text);
}

void cni_cuda_tall_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run)
{
    cni_cuda_tall t;
    if (!cni_cuda_tall_of(part, run->window, &t)) {
        return;
    }
    uint64_t out = cni_cuda_operand_address(part, run, 0), vector = cni_cuda_operand_address(part, run, t.vector);
    b->p.tall.matrix = cni_cuda_operand_address(part, run, t.matrix);
    *(t.back ? &b->p.tall.r : &b->p.tall.v) = vector;
    *(t.back ? &b->p.tall.g : &b->p.tall.z) = out;
    b->p.tall.sums = (uintptr_t)run->scratch;
    cni_cuda_library_launch(b, sizeof b->p.tall, b->p.tall.matrix);
}
