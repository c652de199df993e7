// Which edges of the program a run has taken, where the compiler was asked to tell
// (-sanitize-coverage=edge,trace-pc-guard); without it all counts stay 0.
#pragma once

#include <stdint.h>

/// Edges taken from now on count, or don't.
void coverage_count(int is_counting);
/// How many edges were ever taken while counting.
uint32_t coverage_taken(void);
/// How many edges there are.
uint32_t coverage_total(void);
