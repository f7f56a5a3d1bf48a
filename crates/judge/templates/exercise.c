/* << title >>: the task is in README.md. Write the functions, and run this in the folder of the exercise. */
#include <math.h>
#include "exercise.h"

<% if optimizer %>
/* Fills in c->weights.data. */
static void steps(exercise_case *c) {
    fail("compute", c->name);
}
<% else %>
/* Fills in c->y.data. */
static void forward(exercise_case *c) {
    fail("compute", c->name);
}

/* Fills in <% for name in gradients %>c-><< name >>.data<% if not loop.last %>, <% endif %><% endfor %>. */
static void backward(exercise_case *c) {
    fail("compute", c->name);
}
<% endif %>

int main(void) {
    size_t number;
    for (number = 0; number < sizeof CASES / sizeof CASES[0]; number++) {
        exercise_case *c = &CASES[number];
<% for name in arguments %>
        read_array(c->name, "<< name >>", &c-><< name >>);
<% endfor %>
<% if not optimizer %>
        read_array(c->name, "g", &c->g);
<% endif %>
<% for name in asked %>
        c-><< name >>.data = calloc(c-><< name >>.count, sizeof(double));
<% endfor %>
<% if optimizer %>
        steps(c);
<% else %>
        forward(c);
        backward(c);
<% endif %>
<% for name in asked %>
        write_array(c->name, "<< name >>", &c-><< name >>);
<% endfor %>
    }
    return 0;
}
