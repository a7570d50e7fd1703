// What the C library says of its heap, which its own module of Swift leaves out.
#include_next <malloc.h>
