/*
 * statement.h - a part's program as text that C and CUDA's C++ both read: one function for each loop it uses, and one
 * statement for each instruction that computes. Register k is the constant r<k>. How elements are loaded, stored and
 * reduced is the place's.
 */
#ifndef CNI_STATEMENT_H
#define CNI_STATEMENT_H

#include "base/arena.h"
#include "base/text.h"
#include "plan/plan.h"

typedef struct cni_statements {
    const cni_part *part;
    const cni_window *w;
    cni_text *text;  /* the caller sets it, and may change it */
    uint8_t *dtypes; /* by register */
    bool reductions; /* functions for the loops of reductions too */
    bool fast;       /* the fast forms of ops that have one (cni_statement_near) */
    bool opaque;     /* selections by the bits of a mask, which the text's constant `opaque`, 0, hides from compilers */
    bool headers;    /* the text needs op/convert.h */
    uint8_t *written; /* by loop: its function is in the text already; NULL: none is */
} cni_statements;

/* False without memory. */
bool cni_statements_begin(cni_statements *x, const cni_part *part, const cni_window *w, cni_arena *arena);

/* Appends the functions, each once; x->written, if given, holds for all parts of a text. */
void cni_statements_functions(cni_statements *x);

/* Appends the statement of an OP, CAST or MOVE, with its line end; nothing for others. */
void cni_statement(cni_statements *x, const cni_instr *instr);

/* Has the instruction's op a form that is fast for arguments that are not far (kind G of ops.def)? */
bool cni_statement_near(const cni_instr *instr);

/* Appends an expression that is not 0 if the argument is far: then the fast form is no answer. */
void cni_statement_far(cni_statements *x, const cni_instr *instr);

#endif
