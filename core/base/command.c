/* command.c - see command.h. */
#include "base/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { LONGEST_SECONDS = 120 };

/* ---- Commands ---- */

static bool wait_for(pid_t child)
{
    int status = 0;
    for (int64_t waited = 0;; waited++) {
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child || (done < 0 && errno != EINTR)) {
            return done == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        if (waited == LONGEST_SECONDS * 1000) {
            kill(child, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

bool cni_command_run(const char *const *argv, const char *output, _Atomic pid_t *child)
{
    posix_spawn_file_actions_t actions;
    pid_t started;
    const char *to = output != NULL ? output : "/dev/null";
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int error = posix_spawnp(&started, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return false;
    }
    if (child != NULL) {
        *child = started;
    }
    bool well = wait_for(started);
    if (child != NULL) {
        *child = 0;
    }
    return well;
}

/* ---- Folders ---- */

bool cni_folder_make(char *path, size_t size)
{
    const char *where = getenv("TMPDIR");
    int used = snprintf(path, size, "%s/cnumeric-XXXXXX", where != NULL && where[0] == '/' ? where : "/tmp");
    if (used < 0 || (size_t)used >= size || mkdtemp(path) == NULL) {
        path[0] = '\0';
        return false;
    }
    return true;
}

bool cni_folder_write(const char *folder, const char *name, const void *data, size_t size)
{
    char path[PATH_MAX];
    const char *slash = strchr(name, '/');
    if (slash != NULL) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - name), name);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    bool done = file != NULL && fwrite(data, 1, size, file) == size;
    return file != NULL && fclose(file) == 0 && done;
}

void cni_folder_remove(const char *folder)
{
    DIR *entries = opendir(folder);
    char path[PATH_MAX];
    for (struct dirent *e; entries != NULL && (e = readdir(entries)) != NULL;) {
        bool itself = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (!itself && snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < (int)sizeof path &&
            unlink(path) != 0 && (errno == EISDIR || errno == EPERM)) {
            cni_folder_remove(path);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    rmdir(folder);
}
