/* launcher.c - see launcher.h. */
#include "net/launcher.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"

/* Set by a rank for the programs that it starts: they inherit the launcher's variables and must not believe them. */
static const char claimed[] = "CN_NET_RANK_TAKEN_BY";

/* The first row whose variables are both set tells. SLURM_PROCID is set in batch scripts as well, the step's are not. */
static const struct {
    const char *rank, *size, *mark; /* mark: another variable that must be set; NULL: none */
    cni_mpi_kind kind;
} rows[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", NULL, CNI_MPI_OPEN_MPI},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", CNI_MPI_MPICH}, /* MPICH's launcher and its relatives */
    {"PMI_RANK", "PMI_SIZE", NULL, CNI_MPI_ANY},
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", NULL, CNI_MPI_ANY},
    {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", NULL, CNI_MPI_ANY},
};

static bool read_number(const char *name, int *number)
{
    const char *text = getenv(name);
    char *end;
    long value = text != NULL ? strtol(text, &end, 10) : -1;
    if (value < 0 || value > 1 << 28 || end == text || *end != '\0') {
        return false;
    }
    *number = (int)value;
    return true;
}

cni_launch cni_launch_find(void)
{
    cni_launch launch = {.size = 1};
    const char *taken = getenv(claimed);
    if (cni_settings[CNI_SETTING_NET] == 0) {
        return launch;
    }
    if (taken != NULL && atol(taken) != (long)getpid()) {
        return launch;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rank, size;
        bool marked = rows[i].mark == NULL || getenv(rows[i].mark) != NULL;
        if (marked && read_number(rows[i].rank, &rank) && read_number(rows[i].size, &size)) {
            return rank < size && !cni_mpi_initialised() ? (cni_launch){rank, size, rows[i].kind} : launch;
        }
    }
    return launch;
}

void cni_launch_claim(void)
{
    char number[24];
    snprintf(number, sizeof number, "%ld", (long)getpid());
    setenv(claimed, number, 1);
}

/* ---- MPI in use ---- */

typedef int initialised_function(int *flag);

static bool asks_yes(void *library)
{
    initialised_function *initialised;
    int flag = 0;
    *(void **)&initialised = dlsym(library, "MPI_Initialized");
    return initialised != NULL && initialised(&flag) == 0 && flag != 0;
}

typedef struct search {
    int skip; /* libraries of MPI to pass over */
    char path[PATH_MAX];
} search;

static int is_wanted(struct dl_phdr_info *info, size_t size, void *opaque)
{
    search *s = opaque;
    const char *name = strrchr(info->dlpi_name, '/');
    (void)size;
    if (name == NULL || strncmp(name, "/libmpi", 7) != 0 || s->skip-- > 0) {
        return 0;
    }
    snprintf(s->path, sizeof s->path, "%s", info->dlpi_name);
    return 1;
}

/* A library that was loaded for one module only is not found by the names of its functions alone. */
bool cni_mpi_initialised(void)
{
    bool found = asks_yes(RTLD_DEFAULT);
    search s;
    for (int skip = 0; !found; skip++) {
        s.skip = skip;
        if (dl_iterate_phdr(is_wanted, &s) == 0) {
            break;
        }
        void *library = dlopen(s.path, RTLD_LAZY | RTLD_NOLOAD);
        if (library != NULL) {
            found = asks_yes(library);
            dlclose(library);
        }
    }
    return found;
}
