/*
 * compiler.h - C source to a function, by the system's C compiler, behind the program's back and kept on disk.
 *
 * One background thread compiles what is asked for, in order. Whatever goes wrong (no compiler, no space, a torn file)
 * only means that the function never comes. Files of the cache are private to the user, written under another name
 * and renamed, and verified before they are loaded.
 */
#ifndef CNI_COMPILER_H
#define CNI_COMPILER_H

#include <stdbool.h>

typedef struct cni_compiled cni_compiled;

/*
 * Asks for cni_kernel of the source, or finds an earlier request for it; lives as long as the process. NULL: never. what: the
 * group, for who is told of new kernels.
 */
cni_compiled *cni_compiler_ask(const char *source, const char *what);

/* The address of cni_kernel, NULL as long as there is none; wait: until it is known whether there will be one. */
void *cni_compiler_result(cni_compiled *compiled, bool wait, bool *failed);

#endif
