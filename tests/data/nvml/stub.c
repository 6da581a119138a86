/* A libnvidia-ml.so.1 that tells what stands in the file named by NVML_STUB, read at each call:
 *
 *   init CODE                          nvmlInit fails with this code
 *   card UUID TOTAL USED NAME          one for each card, in order; bytes
 *   lost INDEX CODE                    all questions about the card fail with this code
 *   process INDEX PID BYTES            BYTES -1: not told
 *   silent INDEX                       the driver does not support questions about processes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu, compute; } process_t;

enum { SUCCESS = 0, INVALID = 2, UNSUPPORTED = 3, SMALL = 7 };

static int scan(const char *word, long index, char *rest, size_t room) {
    char line[512];
    long seen = -1, found = 0;
    FILE *file = fopen(getenv("NVML_STUB") ? getenv("NVML_STUB") : "", "r");
    if (!file) return 0;
    while (!found && fgets(line, sizeof line, file)) {
        size_t length = strlen(word);
        if (strncmp(line, word, length) || line[length] != ' ') continue;
        if (++seen == index) {
            snprintf(rest, room, "%s", line + length + 1);
            rest[strcspn(rest, "\n")] = 0;
            found = 1;
        }
    }
    fclose(file);
    return (int)found;
}

static int lost(long index) {
    char rest[512];
    for (long at = 0; scan("lost", at, rest, sizeof rest); at++) {
        long which; int code;
        if (sscanf(rest, "%ld %d", &which, &code) == 2 && which == index) return code;
    }
    return SUCCESS;
}

static long card(void *handle) { return (long)handle - 1; }

int nvmlInitWithFlags(unsigned flags) {
    char rest[512];
    (void)flags;
    return scan("init", 0, rest, sizeof rest) ? atoi(rest) : SUCCESS;
}

int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "Unknown Error"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    char rest[512];
    for (*count = 0; scan("card", *count, rest, sizeof rest); ++*count) {}
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    char rest[512];
    if (!scan("card", index, rest, sizeof rest)) return INVALID;
    *handle = (void *)((long)index + 1);
    return lost(index);
}

static int told(void *handle, char *uuid, memory_t *memory, char *name) {
    char rest[512];
    if (lost(card(handle))) return lost(card(handle));
    if (!scan("card", card(handle), rest, sizeof rest)) return INVALID;
    sscanf(rest, "%80s %llu %llu %80[^\n]", uuid, &memory->total, &memory->used, name);
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned length) {
    memory_t memory; char name[96], own[96];
    int code = told(handle, own, &memory, name);
    if (!code) snprintf(uuid, length, "%s", own);
    return code;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
    memory_t memory; char own[96], uuid[96];
    int code = told(handle, uuid, &memory, own);
    if (!code) snprintf(name, length, "%s", own);
    return code;
}

int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    char uuid[96], name[96];
    return told(handle, uuid, memory, name);
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_t *found) {
    char rest[512];
    unsigned room = *count, there = 0;
    if (lost(card(handle))) return lost(card(handle));
    for (long at = 0; scan("silent", at, rest, sizeof rest); at++)
        if (atol(rest) == card(handle)) return UNSUPPORTED;
    for (long at = 0; scan("process", at, rest, sizeof rest); at++) {
        long which, pid; long long bytes;
        if (sscanf(rest, "%ld %ld %lld", &which, &pid, &bytes) != 3 || which != card(handle)) continue;
        if (there < room && found) {
            memset(&found[there], 0, sizeof *found);
            found[there].pid = (unsigned)pid;
            found[there].used = (unsigned long long)bytes;
        }
        there++;
    }
    *count = there;
    return there > room ? SMALL : SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_t *found) {
    (void)handle; (void)found;
    *count = 0;
    return SUCCESS;
}
