/* The cases of this exercise. Numbers are doubles, the last axis the fastest. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct {
    int rank;
    int dims[5];
    int count;
    double *data;
} array;

typedef struct {
    const char *name;
    /* Given. */
<% for name in arguments %>
    array << name >>;
<% endfor %>
<% if not optimizer %>
    array g;
<% endif %>
    /* To be computed: `data` has room for `count` numbers, which are 0. */
<% for name in asked %>
    array << name >>;
<% endfor %>
} exercise_case;

static exercise_case CASES[] = {
<% for case in cases %>
    {
        "<< case.name >>",
<% for array in case.given + case.asked %>
        {<< array.dims|length >>, {<< array.dims|join(", ") or "0" >>}, << array.count >>, NULL}, /* << array.name >> */
<% endfor %>
    },
<% endfor %>
};

static void fail(const char *what, const char *path) {
    fprintf(stderr, "cannot %s %s\n", what, path);
    exit(1);
}

static void read_array(const char *name, const char *of, array *to) {
    char path[256];
    FILE *file;
    snprintf(path, sizeof path, "cases/%s/%s.f64", name, of);
    to->data = malloc(to->count * sizeof(double));
    file = fopen(path, "rb");
    if (!to->data || !file || fread(to->data, sizeof(double), to->count, file) != (size_t)to->count) fail("read", path);
    fclose(file);
}

static void write_array(const char *name, const char *of, const array *from) {
    char path[256];
    FILE *file;
    mkdir("answers", 0777);
    snprintf(path, sizeof path, "answers/%s", name);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "answers/%s/%s.f64", name, of);
    file = fopen(path, "wb");
    if (!file || fwrite(from->data, sizeof(double), from->count, file) != (size_t)from->count) fail("write", path);
    fclose(file);
}
